"""Control charts against worked examples: limits, signals in every form, and what has no chart."""

from itertools import pairwise

import pytest

from shared.control import ENOUGH, LEAST, Limits, Signal, g, p, signals, u, xmr


def test_xmr_is_mean_and_266_moving_ranges():
    values = [10.0, 12.0] * 10
    limits = xmr(values)
    assert (limits.kind, limits.centre, limits.points) == ("xmr", 11, 20)
    assert limits.bounds[0] == pytest.approx((11 - 2.66 * 2, 11 + 2.66 * 2))
    assert not limits.provisional


def test_xmr_of_equal_values_has_no_width_and_no_signal():
    limits = xmr([5.0] * 30)
    assert limits.bounds[0] == (5, 5)
    assert signals([5.0] * 30, limits) == []


def test_xmr_never_goes_below_the_floor():
    assert xmr([0.0, 9.0] * 10).bounds[0][0] == 0
    assert xmr([0.0, 9.0] * 10, floor=None).bounds[0][0] < 0


@pytest.mark.parametrize(("n", "low", "high"), [(50, 0.773, 1.0), (200, 0.836, 0.964)])
def test_limits_of_a_share_follow_its_n(n, low, high):
    """90 % satisfied: 77.3 … 100 of 50 customers, 83.6 … 96.4 of 200."""
    limits = p([(n * 0.9, n)] * LEAST)
    assert limits.bounds[0] == pytest.approx((low, high), abs=5e-4)
    assert limits.spread == 1
    assert limits.provisional
    assert not p([(n * 0.9, n)] * ENOUGH).provisional


def test_answers_of_one_customer_count_once():
    assert p([(270, 300)] * 8, n=[50] * 8).bounds[0] == pytest.approx((0.7727, 1.0), abs=5e-4)


def test_rates_have_limits_by_chances():
    """4 in 100 on average: 4 ± 3 √(4 / 100) per hundred is 0 … 10; with 400 chances 1 … 7."""
    limits = u([(4, 100)] * 8 + [(16, 400)])
    assert limits.bounds[0] == pytest.approx((0, 0.10))
    assert limits.bounds[8] == pytest.approx((0.01, 0.07))


def test_days_that_differ_among_themselves_widen_the_limits():
    """Thousands a day: plain limits call every day a signal; Laney's factor is the scores' moving range / 1.128."""
    parts = [(4_500, 5_000), (4_700, 5_000)] * 10
    limits = p(parts)
    sigma = (0.92 * 0.08 / 5_000) ** 0.5
    scores = [(part / whole - 0.92) / sigma for part, whole in parts]
    mean_range = sum(abs(b - a) for a, b in pairwise(scores)) / 19
    assert limits.spread == pytest.approx(mean_range / 1.128)
    assert limits.bounds[0][1] == pytest.approx(min(1, 0.92 + 3 * sigma * limits.spread))
    assert signals([part / whole for part, whole in parts], limits) == []


def test_rare_events_are_charted_by_what_lies_between():
    """Mean 12 days between: 12 ± 3 √(12 × 13), never below 0."""
    limits = g([12.0] * 8)
    assert limits.bounds[0] == pytest.approx((0, 12 + 3 * (12 * 13) ** 0.5))
    assert [each.rule for each in signals([50.0, *[12.0] * 7], limits)] == ["outside"]


def test_too_few_points_make_no_limits():
    few = [1.0, 2.0] * 3
    assert xmr(few) is p([(1, 2)] * 7) is u([(1, 2)] * 7) is g(few) is None


def test_the_baseline_alone_makes_the_limits():
    values = [10.0, 12.0] * 10 + [99.0]
    limits = xmr(values, [True] * 20 + [False])
    assert limits.centre == 11
    assert signals(values, limits)[-1] == Signal("outside", 20, 20, above=True)


BAND = Limits("xmr", 10.0, ((4.0, 16.0),) * 12, 20)


def series(*values):
    return [*values, *[10.0] * (12 - len(values))]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (series(17), [Signal("outside", 0, 0, above=True)]),
        (series(10, 3), [Signal("outside", 1, 1, above=False)]),
        (series(16, 4), []),
        (series(*[11] * 6), []),
        (series(*[11] * 7), [Signal("run", 0, 6, above=True)]),
        (series(9, *[11] * 8), [Signal("run", 1, 8, above=True)]),
        (series(*[9] * 4, None, *[9] * 4), []),
        (series(14, 14, 10, 14), [Signal("near", 0, 3, above=True)]),
        (series(14, 6, 14, 6), []),
        (series(6, 6, 6), [Signal("near", 0, 2, above=False)]),
        (series(14, 14, None, 14), []),
    ],
)
def test_signals(values, found):
    assert signals(values, BAND) == found


def test_a_limit_that_was_cut_makes_nothing_near():
    cut = Limits("p", 0.97, ((0.90, 1.0),) * 12, 20)
    assert [each.rule for each in signals([1.0, 1.0, 0.97, 1.0, *[0.97] * 8], cut)] == []
