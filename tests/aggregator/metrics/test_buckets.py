"""Buckets: edges, quantiles that stay in the true bucket, counts that are exact on an edge."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.metrics.buckets import (
    EDGES,
    OVERFLOW,
    bounds,
    bucket_of,
    count_at_most,
    partial_bucket,
    quantile,
)

DURATIONS = st.lists(st.integers(0, 200) | st.integers(0, 100_000), min_size=1, max_size=60)


def histogram(durations: list[int]) -> Counter[int]:
    return Counter(map(bucket_of, durations))


def test_the_edges() -> None:
    assert len(EDGES) == 1 + 60 + 48 + 40 + 30 + 30 + 36 + 40 == OVERFLOW
    assert list(EDGES) == sorted(set(EDGES))
    assert EDGES[:61] == tuple(range(61))
    for edge in (65, 300, 315, 900, 930, 1_800, 1_860, 3_600, 3_900, 14_400, 16_200, 86_400):
        assert edge in EDGES


@pytest.mark.parametrize(
    ("seconds", "least", "greatest"),
    [
        *[(0, 0, 0), (1, 1, 1), (60, 60, 60), (61, 61, 65), (65, 61, 65), (66, 66, 70), (300, 296, 300)],
        *[(301, 301, 315), (901, 901, 930), (3_601, 3_601, 3_900), (86_400, 84_601, 86_400), (86_401, 86_401, None)],
    ],
)
def test_upper_edges_belong_to_their_bucket(seconds: int, least: int, greatest: int | None) -> None:
    assert bounds(bucket_of(seconds)) == (least, greatest)


def test_every_second_lies_within_the_bounds_of_its_bucket() -> None:
    for seconds in range(86_500):
        least, greatest = bounds(bucket_of(seconds))
        assert least <= seconds <= (greatest or seconds)


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        bucket_of(-1)


@given(DURATIONS, st.integers(1, 100))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(durations: list[int], percent: int) -> None:
    true = sorted(durations)[math.ceil(percent * len(durations) / 100) - 1]
    answer = quantile(histogram(durations), percent)
    assert answer is not None
    assert bucket_of(answer) == bucket_of(true)
    if true <= 60:
        assert answer == true


@given(DURATIONS)
def test_quantiles_rise(durations: list[int]) -> None:
    answers = [quantile(histogram(durations), percent) or 0 for percent in range(1, 101)]
    assert answers == sorted(answers)


def test_quantiles_by_hand() -> None:
    assert quantile({}, 50) is None
    assert quantile({3: 0}, 50) is None
    assert quantile({10: 1, 20: 1, 30: 2}, 50) == 20
    assert quantile({10: 1, 20: 1, 30: 2}, 51) == 30
    five = {bucket_of(61): 4}  # spread over 61..65: 62, 63, 64, 65
    assert [quantile(five, percent) for percent in (25, 50, 75, 100)] == [62, 63, 64, 65]
    assert quantile({OVERFLOW: 3}, 95) == 86_401


@given(DURATIONS, st.integers(0, 100_000) | st.sampled_from(EDGES))
def test_a_count_within_is_exact_up_to_the_bucket_it_names(durations: list[int], within: int) -> None:
    answer = count_at_most(histogram(durations), within)
    true = sum(each <= within for each in durations)
    if answer.partial is None:
        assert answer.count == true
    else:
        inside = [each for each in durations if bucket_of(each) == answer.partial]
        assert answer.count + sum(each <= within for each in inside) == true
    if within in EDGES:
        assert partial_bucket(within) is answer.partial is None
