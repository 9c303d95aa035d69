"""When a loan ends, and what a code is made of."""

from datetime import UTC, datetime, timedelta

import pytest

from services.queue.kiosks.qr import drawn, modules, packed
from services.queue.kiosks.rules import day_ends, timing

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "cutoff", "ends"),
    [
        (NOON, "Asia/Shanghai", "00:00", datetime(2026, 3, 28, 16, tzinfo=UTC)),
        (NOON, "Asia/Shanghai", "02:00", datetime(2026, 3, 28, 18, tzinfo=UTC)),
        (NOON, "Europe/Berlin", "00:00", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (NOON + timedelta(days=1), "Europe/Berlin", "00:00", datetime(2026, 3, 29, 22, tzinfo=UTC)),
    ],
)
def test_a_day_ends_where_its_branch_is(now, zone, cutoff, ends):
    assert day_ends(now, zone, cutoff) == ends


def test_a_time_that_cannot_be_is_moved_to_the_nearest_that_can():
    early, late = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    assert timing(late, 0, early, NOON) == (NOON, 3600)
    assert timing(early - timedelta(minutes=5), 0, early, NOON) == (early, -300)
    assert timing(late, -3_600_000, early, NOON) == (NOON, 3600)


def test_a_packed_code_holds_the_modules_that_are_drawn():
    side, bits = packed("https://bank.example/queue/t/AAAAAAAAAAAAAAAAAAAAAA").split(":")
    rows = modules("https://bank.example/queue/t/AAAAAAAAAAAAAAAAAAAAAA")
    size, path = drawn("https://bank.example/queue/t/AAAAAAAAAAAAAAAAAAAAAA")
    assert int(side) == len(rows) == size - 8
    assert path.count("M") == sum(map(sum, rows))
    assert len(bits) < 400
