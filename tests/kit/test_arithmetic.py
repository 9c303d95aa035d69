"""The Wilson interval against published values, and seconds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arithmetic import whole_seconds, wilson

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(9, 10, 59.6, 98.2), (45, 50, 78.6, 95.7), (450, 500, 87.1, 92.3), (5, 5, 56.6, 100.0), (0, 8, 0.0, 32.4)],
)
def test_published_values(part: int, whole: int, low: float, high: float) -> None:
    interval = wilson(part, whole)
    assert interval is not None
    assert (round(100 * interval[0], 1), round(100 * interval[1], 1)) == (low, high)


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert wilson(1, 2, 0) is None


def test_fewer_independent_observations_widen_it() -> None:
    assert wilson(270, 300, 100) == pytest.approx(wilson(90, 100))


@given(st.integers(-10_000, 10_000_000))
def test_seconds_are_rounded_half_up(millis: int) -> None:
    assert whole_seconds(NOON, NOON + timedelta(milliseconds=millis)) == (millis + 500) // 1000
