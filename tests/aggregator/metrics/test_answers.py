"""Points by kind, limits between edges, periods."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.metrics.answers import periods, point
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.values import Cell

DAY = date(2026, 3, 2)
WAITS = st.lists(st.integers(0, 2_000) | st.integers(0, 90_000), max_size=40)


@given(WAITS, WAITS, st.integers(0, 2_000) | st.sampled_from([0, 60, 300, 900, 86_400, 100_000]))
def test_a_service_level_is_exact_at_any_limit(served: list[int], left: list[int], within: int) -> None:
    good, all_ = Counter(served), Counter(served + left)
    cells = [Cell(wait, all_[wait], good[wait], all_[wait]) for wait in all_]
    answer = point(METRICS["wait.service_level"], DAY, DAY, cells, within=within)
    assert answer.numerator == sum(wait <= within for wait in served)
    assert answer.denominator == answer.n == len(served) + sum(wait > within for wait in left)
    assert not answer.incomplete


@pytest.mark.parametrize("name", METRICS)
def test_nothing_has_no_value(name: str) -> None:
    answer = point(METRICS[name], DAY, DAY, [])
    assert answer.value == (0 if METRICS[name].kind == "count" else None)
    assert (answer.n, answer.numerator, answer.low, answer.high, answer.p50, answer.p95) == (
        0,
        0,
        None,
        None,
        None,
        None,
    )


def test_a_ratio_has_its_interval_by_n() -> None:
    answer = point(METRICS["survey.csat"], DAY, DAY, [Cell(None, 10, 27, 30)], incomplete=True)
    assert (answer.value, answer.incomplete) == (0.9, True)
    assert answer.low == pytest.approx(0.596, abs=5e-4)
    assert answer.high == pytest.approx(0.982, abs=5e-4)


def test_more_parts_than_the_whole_is_incomplete_and_not_an_error() -> None:
    answer = point(METRICS["survey.invitation_rate"], DAY, DAY, [Cell(None, 1, 2, 1)])
    assert (answer.value, answer.low, answer.incomplete) == (2.0, None, True)


def test_periods() -> None:
    assert periods(date(2026, 1, 30), date(2026, 3, 2), "month") == [
        (date(2026, 1, 30), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ]
    assert periods(DAY, date(2026, 3, 3), "day") == [(DAY, DAY), (date(2026, 3, 3), date(2026, 3, 3))]
    assert periods(DAY, date(2026, 12, 31), "total") == [(DAY, date(2026, 12, 31))]
    assert periods(DAY, date(2026, 3, 1), "day") == periods(DAY, date(2026, 3, 1), "total") == []
    assert len(periods(date(2023, 12, 15), date(2024, 3, 1), "month")) == 4
