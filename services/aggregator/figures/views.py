"""From figures to what a page shows of them: texts of numbers (the same in every language), tones and drawings."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from services.aggregator.figures.heat import HalfHours
from services.aggregator.figures.rules import CHANCES, Judged, Sample, judge, sample
from services.aggregator.figures.service import Child
from services.aggregator.metrics.answers import Point
from services.aggregator.metrics.buckets import EDGES, OVERFLOW
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.document import definition
from services.aggregator.metrics.registry import Metric
from shared.control import Signal
from shared.web import charts
from shared.web.i18n import N_

GROUPS: Final = (
    (N_("Waiting and handling"), ("wait.seconds", "wait.service_level", "handling.seconds")),
    (N_("Visits"), ("visits.opened", "visits.served", "visits.abandoned", "visits.no_show")),
    (N_("What customers say"), ("survey.csat", "survey.response_rate", "survey.invitation_rate")),
)
PRESETS: Final[Mapping[str, str]] = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "week": N_("7 days"),
    "days30": N_("30 days"),
    "month": N_("This month"),
    "last_month": N_("Last month"),
    "year": N_("This year"),
}
WEEKDAYS: Final = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
GUIDE_ROWS: Final[Mapping[str, str]] = {
    "1.1a": N_("lead the field in satisfaction"),
    "1.1b": N_("raise efficiency, shorten waiting"),
    "2.1h": N_("ask for an opinion after the service"),
}
_MINUTES: Final = 240
"""Seconds above which an axis counts whole minutes."""
_BINS: Final = (
    (120, (10, 20, 30, 40, 50, 60, 80, 100, 120)),
    (900, (30, 60, 120, 180, 240, 300, 420, 600, 900)),
    (86_400, (60, 180, 300, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200)),
)
"""Upper edges of the bars, by what 95 % of the durations do not exceed; all are edges of the buckets."""


class Name(NamedTuple):
    """A title in both languages."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as text. ``value`` is '' where nothing or too little was observed; ``sample`` says which."""

    value: str
    n: int
    sample: Sample
    low: str
    high: str
    p50: str
    p90: str
    p95: str
    incomplete: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A metric on the wall."""

    metric: Metric
    name: Name
    shown: Shown
    spark: charts.Spark
    signals: int


@dataclass(frozen=True, slots=True)
class Said:
    """A signal for a sentence: where it is, its value, and whether it is good news (None: neither)."""

    signal: Signal
    first: str
    last: str
    count: int
    value: str
    better: bool | None


def clock(seconds: float) -> str:
    """Minutes and seconds, ``5:12``; rounded half up as the figures are."""
    whole = int(seconds + 0.5)
    return f"{whole // 60}:{whole % 60:02d}"


def share(value: float) -> str:
    """A share as per cent with one decimal; with two where one would make it all or nothing."""
    digits = 2 if value not in (0, 1) and f"{value:.3f}" in ("0.000", "1.000") else 1
    return f"{value * 100:.{digits}f}%"


def count(value: float) -> str:
    """A number with its thousands; a mean with one decimal."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def form(metric: Metric) -> Callable[[float], str]:
    """How values of the metric are written."""
    return {"count": count, "duration": clock, "ratio": share, "service_level": share}[metric.kind]


def name(metric: Metric) -> Name:
    """The metric's title."""
    return Name(metric.title_zh, metric.title_en)


def shown(metric: Metric, point: Point) -> Shown:
    """A point as text; nothing is shown of too few observations but how many they are."""
    enough = sample(metric, point.n)
    write = form(metric)

    def text(value: float | None) -> str:
        return "" if value is None or enough == "none" else write(value)

    return Shown(
        text(point.value), point.n, enough, text(point.low), text(point.high), text(point.p50), text(point.p90),
        text(point.p95), point.incomplete,
    )  # fmt: skip


def tiles(wall: Mapping[str, tuple[Point, list[Point]]], today: date) -> list[tuple[str, list[Tile]]]:
    """The wall, group by group."""
    return [(title, [_tile(METRICS[each], wall, today) for each in ids]) for title, ids in GROUPS]


def _tile(metric: Metric, wall: Mapping[str, tuple[Point, list[Point]]], today: date) -> Tile:
    whole, series = wall[metric.id]
    judged = judge(metric, series, chances(metric, wall), today)
    values = [each.value if each.n or metric.kind == "count" else None for each in series]
    centre = judged.limits.centre if judged.limits is not None and judged.kind in ("p", "xmr") else None
    line = charts.spark(values if sample(metric, whole.n) != "none" else [], centre=centre)
    return Tile(metric, name(metric), shown(metric, whole), line, len(judged.signals))


def chances(metric: Metric, wall: Mapping[str, tuple[Point, list[Point]]]) -> list[Point] | None:
    """The series of the chances for what goes wrong."""
    other = CHANCES.get(metric.id)
    return None if other is None else wall[other][1]


_LABELS: Final = re.compile(r"(?<![\w.])(?=(?:Numerator|Denominator|Excluded|n|Example[^:.]*):)")


def english(metric: Metric) -> list[tuple[str, str]]:
    """The definition as (label, text) pairs, the first without a label; what only the code needs is left out."""
    paragraphs = [" ".join(part.split()) for part in definition(metric).replace("``", "").split("\n\n")]
    parts = [paragraphs[0], *_LABELS.split(re.sub(r" Day: .*?(?= Example)", " ", paragraphs[1]))]
    pairs = [(part.partition(":")[0], part.partition(":")[2]) for part in parts[1:] if part.strip()]
    return [("", parts[0]), *((label.strip(), text.strip()) for label, text in pairs)]


def label(first: date, last: date, *, year: bool) -> str:
    """A period as an axis names it."""
    if first == last:
        return first.isoformat() if year else f"{first:%m-%d}"
    return f"{first:%Y-%m}"


def written(metric: Metric, judged: Judged) -> Callable[[float], str]:
    """How the values of a control chart are written: rates of what goes wrong are per hundred."""
    if judged.kind == "u":
        return lambda value: f"{value * 100:.1f}"
    return (lambda value: f"{value:.1f}".removesuffix(".0")) if judged.kind == "g" else form(metric)


def control(metric: Metric, judged: Judged, points: Sequence[Point]) -> charts.Control:
    """The control chart."""
    years = len({each.first.year for each in points}) > 1
    labels = [label(points[i].first, points[i].last, year=years) for i in judged.places]
    return charts.control(
        judged.values, labels, judged.limits, judged.signals,
        show=written(metric, judged), most=1.0 if judged.kind == "p" else None, unfinished=judged.unfinished,
        unit=60.0 if metric.kind == "duration" and max((v or 0 for v in judged.values), default=0) > _MINUTES else 1.0,
    )  # fmt: skip


def control_rows(metric: Metric, judged: Judged, points: Sequence[Point]) -> list[list[str]]:
    """The same as a table: period, value, n, lower and upper limit."""
    write = written(metric, judged)
    rows = []
    for j, i in enumerate(judged.places):
        bounds = judged.limits.bounds[j] if judged.limits is not None else None
        value = judged.values[j]
        each = points[i]
        rows.append(
            [
                label(each.first, each.last, year=True),
                "–" if value is None else write(value),
                count(each.n),
                *("–" if bounds is None else write(edge) for edge in bounds or (0, 0)),
            ]
        )
    return rows


def said(metric: Metric, judged: Judged, points: Sequence[Point]) -> list[Said]:
    """The signals, for sentences."""
    write = written(metric, judged)
    found = []
    for each in judged.signals:
        first, last = points[judged.places[each.first]], points[judged.places[each.last]]
        good = {"up": True, "down": False, "neutral": None}[metric.direction]
        upward = each.above != (judged.kind == "g")  # a long time without an event is fewer of them
        found.append(
            Said(
                each, label(first.first, first.last, year=True), label(last.first, last.last, year=True),
                each.last - each.first + 1, write(judged.values[each.last] or 0.0),
                None if good is None else good == upward,
            )
        )  # fmt: skip
    return found


def distribution(histogram: Mapping[int, int], p95: int | None) -> list[tuple[str, int]]:
    """Counts by the bars that suit the durations; the last is open."""
    edges = next((bins for most, bins in _BINS if (p95 or 0) <= most), _BINS[-1][1])
    counts = [0] * (len(edges) + 1)
    for bucket, n in histogram.items():
        upper = EDGES[bucket] if bucket < OVERFLOW else edges[-1] + 1
        counts[next((i for i, edge in enumerate(edges) if upper <= edge), len(edges))] += n
    labels = [f"≤ {clock(edge)}" for edge in edges] + [f"> {clock(edges[-1])}"]
    return list(zip(labels, counts, strict=True))


def heat(metric: Metric, found: HalfHours, weekdays: Sequence[str]) -> tuple[charts.Heat, list[list[str]]]:
    """The heat map and its table. A count is a mean a day; a share or a mean of too few visits stays empty."""
    write = count if metric.kind == "count" else form(metric)

    def value(row: int, point: Point | None) -> float | None:
        if point is None:
            return None
        if metric.kind == "count":
            return round(point.numerator / found.days[row], 1) if found.days[row] else None
        return point.value if sample(metric, point.n) != "none" else None

    values = [[value(row, each) for each in fields] for row, fields in enumerate(found.fields)]
    kept = [j for j in range(len(values[0])) if any(row[j] is not None for row in values)] or [0]
    start, end = kept[0], kept[-1] + 1
    values = [row[start:end] for row in values]
    columns = [f"{c // 2:02d}:{c % 2 * 30:02d}" for c in range(found.first + start, found.first + end)]
    rows = [
        [
            f"{weekdays[row]} {columns[j]}",
            "–" if v is None else write(v),
            count(each.n),
        ]
        for row, fields in enumerate(values)
        for j, v in enumerate(fields)
        if (each := found.fields[row][start + j]) is not None
    ]
    return charts.heat(values, weekdays, columns, show=write), rows


def children(metric: Metric, rows: Sequence[Child], names: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The units below, each with its figure and its interval on a common scale."""
    figures = [shown(metric, each.point) for each in rows]
    spans = [
        (each.point.low, each.point.value, each.point.high)
        if text.value and each.point.low is not None and each.point.value is not None and each.point.high is not None
        else None
        for each, text in zip(rows, figures, strict=True)
    ]
    return [
        {"unit": each.unit, "name": names.get(each.unit), "shown": text, "bar": bar}
        for each, text, bar in zip(rows, figures, charts.intervals(spans), strict=True)
    ]
