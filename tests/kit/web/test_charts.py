"""Charts as places on a drawing: nothing, one point, gaps, all equal, and what lies where."""

import pytest

from shared.control import Limits, Signal, xmr
from shared.web import charts


def show(value):
    return f"{value:g}"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (0, 97, [0, 25, 50, 75, 100]),
        (0.9947, 1, [0.994, 0.996, 0.998, 1]),
        (5, 5, [4, 6, 8, 10]),
        (0, 0, [0, 0.25, 0.5, 0.75, 1]),
    ],
)
def test_axes_have_round_numbers(low, high, ticks):
    assert charts.nice(low, high) == ticks


def test_a_control_chart_says_where_everything_is():
    values = [10.0, 12.0] * 10 + [30.0]
    limits = xmr(values, [True] * 20 + [False])
    chart = charts.control(
        values, [str(i) for i in range(21)], limits, [Signal("outside", 20, 20, above=True)], show=show
    )
    assert len(chart.marks) == 21
    assert chart.marks[20].tone == "outside"
    assert chart.marks[20].text == "20: 30"
    assert chart.marks[20].y < chart.centre < chart.marks[0].y  # up is up
    assert len(chart.lines) == len(chart.band) == 1
    assert len(chart.bounds) == 2
    assert len(chart.xs) <= 12
    assert all(chart.left <= mark.x <= chart.right for mark in chart.marks)
    assert {mark.y for mark in chart.marks} <= {*(mark.y for mark in chart.marks if 0 <= mark.y <= chart.foot)}


def test_seconds_are_ticked_in_whole_minutes():
    chart = charts.control([70.0, 1_042.0], ["a", "b"], None, [], show=show, unit=60)
    assert [tick.text for tick in chart.ys] == ["0", "300", "600", "900", "1200"]


def test_gaps_break_the_line():
    chart = charts.control([1.0, 2.0, None, 3.0, 4.0], list("abcde"), None, [], show=show)
    assert len(chart.lines) == 2
    assert [mark.text[0] for mark in chart.marks] == ["a", "b", "d", "e"]
    assert chart.centre is None


@pytest.mark.parametrize("values", [[], [None, None], [0.0], [5.0] * 9])
def test_nothing_one_and_equal_points_are_drawn(values):
    chart = charts.control(values, ["x"] * len(values), None, [], show=show)
    assert len(chart.marks) == sum(value is not None for value in values)
    line = charts.spark(values)
    assert (line.last is None) == (not chart.marks)


def test_an_unfinished_point_is_hollow_whatever_it_says():
    limits = Limits("xmr", 1.0, ((0.0, 2.0),) * 2, 20)
    chart = charts.control([1.0, 9.0], ["a", "b"], limits, [Signal("outside", 1, 1, above=True)], show=show,
                           unfinished=frozenset({1}))  # fmt: skip
    assert chart.marks[1].tone == "open"


def test_a_share_has_no_tick_above_all():
    chart = charts.control([0.99, 1.0], ["a", "b"], None, [], show=show, most=1.0)
    assert max(float(tick.text) for tick in chart.ys) <= 1


def test_a_heat_map_shades_from_least_to_greatest():
    chart = charts.heat([[0.0, 3.0, None], [6.0, 5.9, 1.0]], ["Mon", "Tue"], ["09:00", "09:30", "10:00"], show=show)
    assert [cell.level for cell in chart.cells] == [1, 4, 0, 6, 6, 2]
    assert chart.cells[0].text == "Mon 09:00: 0"
    assert chart.cells[2].text == ""
    assert chart.steps == ("1", "2", "3", "4", "5", "6")


def test_a_heat_map_of_one_value_has_one_shade_and_no_key():
    chart = charts.heat([[4.0, 4.0]], ["Mon"], ["09:00", "09:30"], show=show)
    assert len({cell.level for cell in chart.cells}) == 1
    assert chart.steps == ()
    assert charts.heat([[None]], ["Mon"], ["09:00"], show=show).cells[0].level == 0


def test_bars_are_as_high_as_their_share():
    chart = charts.bars([("a", 1), ("b", 3), ("c", 0)], show=show)
    assert [bar.text for bar in chart.bars] == ["0.25", "0.75", "0"]
    assert chart.bars[1].height == pytest.approx(3 * chart.bars[0].height, abs=0.2)
    assert charts.bars([("a", 0)], show=show).bars[0].height == 0


def test_intervals_share_a_scale():
    low, none, high = charts.intervals([(0.0, 0.5, 1.0), None, (0.5, 0.75, 1.0)], width=108)
    assert (low.low, low.at, low.high) == (4, 54, 104)
    assert none is None
    assert (high.low, high.at, high.high) == (54, 79, 104)
