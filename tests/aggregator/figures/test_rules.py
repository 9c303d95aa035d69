"""Which chart a metric gets, what is too little, and that every metric is spoken of in both languages."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from services.aggregator.figures import rules, views
from services.aggregator.figures.chinese import DEFINITIONS
from services.aggregator.figures.heat import half_hours
from services.aggregator.metrics.answers import point
from services.aggregator.metrics.buckets import EDGES, bucket_of
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.values import Cell

FIRST = date(2026, 3, 2)
TODAY = date(2026, 6, 1)


def days(metric, *cells, first=FIRST):
    """A point a day; None is a day without anything."""
    return [
        point(
            METRICS[metric],
            first + timedelta(days=i),
            first + timedelta(days=i),
            [] if each is None else [Cell(None, *each)],
        )
        for i, each in enumerate(cells)
    ]


def test_a_share_has_a_p_chart_and_days_without_anything_are_gaps():
    judged = rules.judge(METRICS["survey.csat"], days("survey.csat", *[(50, 90, 100)] * 9, None), None, TODAY)
    assert judged.kind == "p"
    assert judged.values[-1] is None
    assert judged.limits.bounds[0] == pytest.approx((0.7727, 1), abs=5e-4)  # 50 customers, not 100 answers


def test_what_goes_wrong_is_counted_for_each_visit():
    lost = days("visits.abandoned", *[(4, 4, 4)] * 20)
    opened = days("visits.opened", *[(100, 100, 100)] * 20)
    judged = rules.judge(METRICS["visits.abandoned"], lost, opened, TODAY)
    assert (judged.kind, judged.limits.centre) == ("u", pytest.approx(0.04))


def test_what_is_rare_is_charted_by_the_open_days_between():
    lost = days("visits.no_show", *[(1, 1, 1) if i % 5 == 0 else None for i in range(50)])
    opened = days("visits.opened", *[None if i % 5 == 1 else (100, 100, 100) for i in range(50)])
    judged = rules.judge(METRICS["visits.no_show"], lost, opened, TODAY)
    assert judged.kind == "g"
    assert set(judged.values) == {3.0}  # of the four days between, one was closed
    assert judged.places == tuple(range(5, 50, 5))


def test_the_day_that_is_not_over_makes_no_limit_and_no_signal():
    points = days("visits.opened", *[(100 + i % 2,) * 3 for i in range(20)], (1, 1, 1))
    judged = rules.judge(METRICS["visits.opened"], points, None, points[-1].last)
    assert judged.unfinished == {20}
    assert judged.limits.centre == 100.5
    assert judged.signals == ()
    done = rules.judge(METRICS["visits.opened"], points, None, TODAY)
    assert done.signals[-1].rule == "outside"


def test_one_wild_day_makes_no_news_of_all_the_others():
    points = days("visits.opened", *[(100 + i % 2,) * 3 for i in range(20)], (900, 900, 900), *[(100, 100, 100)] * 2)
    judged = rules.judge(METRICS["visits.opened"], points, None, TODAY)
    assert judged.limits.points == 22
    assert judged.limits.centre == pytest.approx(100.45, abs=0.01)
    assert [(each.rule, each.first) for each in judged.signals] == [("outside", 20)]


def test_a_signal_says_whether_it_is_good_news():
    points = days("visits.abandoned", *[(9 + i % 2 * 2,) * 3 for i in range(20)], (0, 0, 0))
    opened = days("visits.opened", *[(100, 100, 100)] * 21)
    metric = METRICS["visits.abandoned"]
    judged = rules.judge(metric, points, opened, TODAY)
    assert [(each.signal.rule, each.better, each.value) for each in views.said(metric, judged, points)] == [
        ("outside", True, "0.0")
    ]


@pytest.mark.parametrize(("n", "found"), [(0, "none"), (9, "none"), (10, "small"), (29, "small"), (30, "enough")])
def test_too_few_observations_have_no_value(n, found):
    metric = METRICS["survey.csat"]
    shown = views.shown(metric, point(metric, FIRST, FIRST, [Cell(None, n, n, n)]))
    assert shown.sample == found
    assert (shown.value == shown.low == "") == (found == "none")
    assert rules.sample(METRICS["visits.opened"], n) == "enough"


def test_every_metric_is_on_the_wall_and_defined_in_chinese_at_its_version():
    assert sorted(each for _, ids in views.GROUPS for each in ids) == sorted(METRICS)
    assert {key: each.version for key, each in DEFINITIONS.items()} == {
        key: each.version for key, each in METRICS.items()
    }
    assert set(rules.GUIDE) | set(rules.CHANCES) <= set(METRICS)


@pytest.mark.parametrize("metric", METRICS)
def test_an_english_definition_comes_in_its_parts(metric):
    pairs = views.english(METRICS[metric])
    labels = [label for label, _ in pairs]
    assert labels[:3] == ["", "Numerator", "Denominator"]
    assert labels[-1].startswith("Example")
    assert all(text and "``" not in text and "Day:" not in text for _, text in pairs)


def test_limits_of_the_service_level_that_are_offered_need_no_facts():
    assert set(rules.WITHIN) <= set(EDGES)
    assert all(set(edges) <= set(EDGES) for _, edges in views._BINS)


def test_periods_that_people_ask_for():
    found = rules.presets(date(2026, 3, 31))
    assert found["last_month"] == (date(2026, 2, 1), date(2026, 2, 28))
    assert found["week"] == (date(2026, 3, 25), date(2026, 3, 31))
    assert rules.month_of(date(2024, 2, 9)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert [rules.by_of(FIRST, FIRST + timedelta(days=n)) for n in (123, 124)] == ["day", "month"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0%"), (1, "100.0%"), (0.5, "50.0%"), (0.99963, "99.96%"), (0.0003, "0.03%"), (0.9994, "99.9%")],
)
def test_a_share_is_all_or_nothing_only_if_it_is(value, text):
    assert views.share(value) == text


def group(hour, state="served", *, n=20, wait=300, within=True, handled=600, day=FIRST):
    """A group of visits whose tickets were taken at this hour in Shanghai."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 8)
    return SimpleNamespace(
        day=day, slot=int(at.timestamp()) // 1_800, state=state, origin="live", within=within, n=n, waits=n,
        waited=n * wait, handlings=n if state == "served" else 0, handled=n * handled if state == "served" else None,
    )  # fmt: skip


def heat(metric, *groups):
    return half_hours(METRICS[metric], groups, "Asia/Shanghai", FIRST, FIRST, 900)


def test_half_hours_are_local_and_as_the_metric_counts():
    found = heat("wait.seconds", group(9), group(9.5, wait=60), group(9, "left", wait=5_000))
    assert (found.first, len(found.fields[0])) == (18, 2)
    assert [each.value for each in found.fields[0]] == [300, 60]  # who left has no wait in this metric
    assert found.days == (1, 0, 0, 0, 0, 0, 0)
    level = heat("wait.service_level", group(9), group(9, within=False, wait=1_000), group(9, "left", within=True))
    assert (level.fields[0][0].numerator, level.fields[0][0].denominator) == (20, 40)
    assert heat("handling.seconds", group(9), group(9, "left")).fields[0][0].value == 600
    assert heat("visits.abandoned", group(9), group(9, "left", n=3)).fields[0][0].value == 3
    assert heat("survey.csat", group(9)) is None
    assert heat("wait.seconds") is None


def test_a_heat_map_shows_a_count_a_day_and_hides_small_samples():
    two = [group(9, n=30), group(9, n=10, day=FIRST + timedelta(days=7)), group(10, n=5)]
    opened = heat("visits.opened", *two)
    _, rows = views.heat(METRICS["visits.opened"], opened, list("1234567"))
    assert rows == [["1 09:00", "20", "40"], ["1 10:00", "2.5", "5"]]
    drawn, rows = views.heat(METRICS["wait.seconds"], heat("wait.seconds", *two), list("1234567"))
    assert rows == [["1 09:00", "5:00", "40"]]  # what is hidden at the edge is cut away
    assert [tick.text for tick in drawn.columns] == ["09:00"]


def test_a_distribution_keeps_every_observation():
    histogram = {bucket_of(seconds): 1 for seconds in (0, 30, 61, 899, 5_000, 90_000)}
    for p95 in (60, 800, 5_000):
        counts = views.distribution(histogram, p95)
        assert sum(n for _, n in counts) == 6
        assert counts[-1][0].startswith(">")
    assert dict(views.distribution(histogram, 60))["≤ 0:30"] == 1


def test_units_below_are_drawn_on_one_scale_and_without_a_value_not_at_all():
    metric = METRICS["wait.service_level"]
    whole = point(metric, FIRST, FIRST, [Cell(10, 40, 40, 40)])
    rows = [
        SimpleNamespace(unit="a", kind="branch", point=whole),
        SimpleNamespace(unit="b", kind="branch", point=replace(whole, n=3)),
    ]
    first, second = views.children(metric, rows, {})
    assert first["bar"] is not None
    assert (second["bar"], second["shown"].value, second["shown"].n) == (None, "", 3)
