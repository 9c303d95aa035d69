"""Rules of scores: worked examples of the research, and what must hold for any distribution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.surveys.scores import rules
from services.surveys.scores.rules import Count

FIVE = {5: 62, 4: 28, 3: 6, 2: 3, 1: 1}
COUNTS = st.lists(st.builds(lambda s, n: Count(s, 1, 5, n), st.integers(1, 5), st.integers(1, 500)), min_size=1)


def of(counts, scale=(1, 5)):
    return [Count(score, *scale, n) for score, n in counts.items()]


def test_a_hundred_answers_have_these_figures():
    score = rules.score_of(of(FIVE), 100)
    assert (score.n, score.answers, score.csat) == (100, 100, 0.90)
    assert score.points == pytest.approx(86.75)
    assert score.mean == pytest.approx(4.47)


@pytest.mark.parametrize(
    ("score", "scale", "counts"),
    [(4, (1, 5), True), (3, (1, 5), False), (9, (0, 10), True), (8, (0, 10), False), (2, (1, 3), False),
     (3, (1, 3), True), (0, (0, 1), False), (1, (0, 1), True)],
)  # fmt: skip
def test_two_best_boxes_of_a_wide_scale_one_of_a_narrow_one(score, scale, counts):
    assert rules.satisfied(score, *scale) is counts


@given(COUNTS, st.integers(5, 1000))
def test_figures_keep_their_bounds_and_the_share_lies_in_its_interval(counts, customers):
    score = rules.score_of(counts, customers)
    assert 0 <= score.low <= score.csat + 1e-12
    assert score.csat - 1e-12 <= score.high <= 1
    assert 0 <= score.points <= 100
    assert score.points == pytest.approx((score.mean - 1) / 4 * 100)


@given(COUNTS, st.integers(0, 4))
def test_few_customers_are_not_shown(counts, customers):
    assert rules.score_of(counts, customers) is None


@given(COUNTS, st.integers(5, 400))
def test_more_customers_never_widen_the_interval(counts, customers):
    less, more = rules.score_of(counts, customers), rules.score_of(counts, customers * 2)
    assert more.high - more.low <= less.high - less.low


def test_answers_on_different_scales_have_no_common_mean():
    score = rules.score_of([Count(5, 1, 5, 5), Count(10, 0, 10, 5)], 5)
    assert (score.mean, score.points, score.csat) == (None, 100.0, 1.0)
