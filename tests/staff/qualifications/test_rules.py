"""When a qualification counts."""

from datetime import UTC, datetime, timedelta

import pytest

from services.staff.qualifications.rules import QualificationStatus, status_at

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "revoked_at", "status"),
    [
        (START - TICK, None, "pending"),
        (START, None, "valid"),
        (END - TICK, None, "valid"),
        (END, None, "expired"),
        (START, START + TICK, "valid"),
        (START + TICK, START + TICK, "revoked"),
        (END, START, "revoked"),
        (START - TICK, START - TICK, "revoked"),
    ],
)
def test_the_status_at_an_instant(at, revoked_at, status):
    assert status_at(at, START, END, revoked_at) is QualificationStatus(status)
