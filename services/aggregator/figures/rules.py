"""How each metric is judged: its control chart, what is too little to show, and which row of the guide asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.aggregator.metrics.answers import By, Point
from services.aggregator.metrics.registry import Metric
from shared import control
from shared.control import ChartKind, Limits, Signal

HIDDEN: Final = 10
"""With fewer observations a share or a mean is not shown (样本不足)."""
RELIABLE: Final = 30
"""With fewer it is shown as uncertain."""
DAYS_BY_DAY: Final = 124
"""Longer periods are shown by month."""
RARE: Final = 0.5
"""Events a day under which days between events are charted instead of events."""
WITHIN: Final = (300, 600, 900, 1_200, 1_800)
"""Limits of the service level that a page offers, in seconds; each is an edge of the buckets."""

Sample = Literal["enough", "small", "none"]

GUIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "wait.seconds": ("1.1b",),
    "wait.service_level": ("1.1b",),
    "handling.seconds": ("1.1b",),
    "visits.abandoned": ("1.1b",),
    "survey.csat": ("1.1a",),
    "survey.response_rate": ("2.1h",),
    "survey.invitation_rate": ("2.1h",),
}
"""Metric -> the rows of the guide that it answers; the rest carry no row of their own."""

CHANCES: Final[Mapping[str, str]] = {"visits.abandoned": "visits.opened", "visits.no_show": "visits.opened"}
"""Counts of what goes wrong -> the metric that counts the chances for it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A series as its control chart shows it: the values drawn, in the order of the points, and what they say.

    ``places`` are the points that each value belongs to; a g chart has fewer values than there are days.
    """

    kind: ChartKind
    places: tuple[int, ...]
    values: tuple[float | None, ...]
    limits: Limits | None
    signals: tuple[Signal, ...]
    unfinished: frozenset[int]


def sample(metric: Metric, n: int) -> Sample:
    """Whether ``n`` observations are enough to show a value; a count is a count."""
    if metric.kind == "count" or n >= RELIABLE:
        return "enough"
    return "small" if n >= HIDDEN else "none"


def by_of(first: date, last: date) -> By:
    """The periods that a span is cut into."""
    return "day" if (last - first).days < DAYS_BY_DAY else "month"


def judge(metric: Metric, points: Sequence[Point], chances: Sequence[Point] | None, today: date) -> Judged:
    """The control chart of a series: p for shares, u for counts of what goes wrong (g where that is rare), else XmR.

    The period of ``today`` is not over: it is drawn, but neither makes a limit nor gives a signal. A period without
    anything is a gap; so is a day of a count on which the branch was closed (nothing was counted).
    """
    unfinished = frozenset(i for i, each in enumerate(points) if each.last >= today)
    done = [i not in unfinished for i in range(len(points))]
    places = tuple(range(len(points)))
    if metric.kind in ("ratio", "service_level"):
        values: list[float | None] = [each.value if each.n else None for each in points]
        parts = [(each.numerator, each.denominator or 0) if each.n else None for each in points]
        limits = _settled(values, done, lambda base: control.p(parts, base, [each.n for each in points]))
    elif chances is not None:
        counts = [each.numerator for each in points]
        open_days = [i for i, each in enumerate(chances) if each.n]
        if sum(counts) < RARE * len(open_days):
            return _rare(counts, open_days, unfinished)
        pairs = [(c, every.n) if every.n else None for c, every in zip(counts, chances, strict=True)]
        values = [None if pair is None else pair[0] / pair[1] for pair in pairs]
        limits = _settled(values, done, lambda base: control.u(pairs, base))
    else:
        values = [each.value if each.n else None for each in points]
        limits = _settled(values, done, lambda base: control.xmr(values, base))
    return Judged(
        _kind(metric, chances), places, tuple(values), limits, _signals(values, limits, unfinished), unfinished
    )


def _settled(
    values: Sequence[float | None], done: Sequence[bool], make: Callable[[Sequence[bool]], Limits | None]
) -> Limits | None:
    """Limits of a baseline without special causes: what lies outside of the first limits has no part in the second.

    Once only: a series that has no usual level would else be trimmed until it had one.
    """
    first = make(done)
    if first is None:
        return None
    outside = {each.first for each in control.signals(values, first) if each.rule == "outside"}
    return (make([use and i not in outside for i, use in enumerate(done)]) if outside else first) or first


def _kind(metric: Metric, chances: Sequence[Point] | None) -> ChartKind:
    if metric.kind in ("ratio", "service_level"):
        return "p"
    return "xmr" if chances is None else "u"


def _rare(counts: Sequence[int], open_days: Sequence[int], unfinished: frozenset[int]) -> Judged:
    """Open days without an event between two days with one."""
    places, gaps = [], []
    last: int | None = None
    for order, i in enumerate(open_days):
        if i in unfinished or not counts[i]:
            continue
        if last is not None:
            places.append(i)
            gaps.append(float(order - last - 1))
        last = order
    limits = control.g(gaps)
    return Judged("g", tuple(places), tuple(gaps), limits, _signals(gaps, limits, frozenset()), frozenset())


def _signals(values: Sequence[float | None], limits: Limits | None, unfinished: frozenset[int]) -> tuple[Signal, ...]:
    if limits is None:
        return ()
    return tuple(control.signals([None if i in unfinished else v for i, v in enumerate(values)], limits))


def presets(today: date) -> dict[str, tuple[date, date]]:
    """Periods that people ask for, by name."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1),) * 2,
        "week": (today - timedelta(days=6), today),
        "days30": (today - timedelta(days=29), today),
        "month": (month, today),
        "last_month": (before.replace(day=1), before),
        "year": (today.replace(month=1, day=1), today),
    }


def month_of(day: date) -> tuple[date, date]:
    """First and last day of the month of ``day``."""
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return day.replace(day=1), following - timedelta(days=1)
