"""From summed cells to the points of an answer."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.aggregator.metrics.buckets import quantile
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.values import Cell
from shared.arithmetic import wilson

By = Literal["day", "month", "total"]
DEFAULT_WITHIN: Final = 900


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an answer. ``first`` and ``last`` (both included) are ``from`` and ``to`` outside.

    A count has n = numerator = value and no more. A duration has the sum of seconds over n, its mean as value, and
    quantiles in seconds. A ratio has a value between 0 and 1 and its 95 % interval. ``value`` is None where there is
    nothing to divide by. No interval is given for a mean: sums of squares are not kept.
    """

    first: date
    last: date
    n: int
    numerator: int
    denominator: int | None
    value: float | None
    low: float | None
    high: float | None
    p50: int | None
    p90: int | None
    p95: int | None
    incomplete: bool


def point(
    metric: Metric,
    first: date,
    last: date,
    cells: Iterable[Cell],
    *,
    incomplete: bool = False,
    within: int = DEFAULT_WITHIN,
) -> Point:
    """The point of ``metric`` from the cells of its period and unit.

    ``incomplete`` is passed on. For a service level, whose cells are by second, ``within`` is the limit in seconds.
    """
    rows = list(cells)
    if metric.kind == "service_level":
        return _service_level(first, last, rows, incomplete=incomplete, within=within)
    n = sum(cell.n for cell in rows)
    numerator = sum(cell.numerator for cell in rows)
    denominator = sum(cell.denominator for cell in rows)
    if metric.kind == "count":
        return Point(first, last, n, numerator, None, numerator, None, None, None, None, None, incomplete)
    if metric.kind == "duration":
        waits = _histogram(rows)
        p50, p90, p95 = (quantile(waits, percent) for percent in (50, 90, 95))
        mean = numerator / denominator if denominator else None
        return Point(first, last, n, numerator, denominator, mean, None, None, p50, p90, p95, incomplete)
    return _ratio(first, last, n, numerator, denominator, incomplete=incomplete)


def periods(first: date, last: date, by: By) -> list[tuple[date, date]]:
    """The periods from ``first`` to ``last`` (both included) as pairs; months are cut to the range asked for."""
    if by == "total":
        return [(first, last)] if first <= last else []
    spans = []
    start = first
    while start <= last:
        end = start if by == "day" else (start.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        spans.append((start, min(end, last)))
        start = spans[-1][1] + timedelta(days=1)
    return spans


def _ratio(first: date, last: date, n: int, numerator: int, denominator: int, *, incomplete: bool) -> Point:
    value = numerator / denominator if denominator else None
    # More parts than the whole happens while one of two streams is behind: say so, and do not invent an interval.
    ahead = numerator > denominator
    low, high = (None if ahead else wilson(numerator, denominator, n)) or (None, None)
    return Point(first, last, n, numerator, denominator, value, low, high, None, None, None, incomplete or ahead)


def _service_level(first: date, last: date, rows: list[Cell], *, incomplete: bool, within: int) -> Point:
    served_within = left_within = served = left = 0
    for cell in rows:
        served += cell.numerator
        left += cell.denominator - cell.numerator
        if cell.bucket is not None and cell.bucket <= within:
            served_within += cell.numerator
            left_within += cell.denominator - cell.numerator
    denominator = served + left - left_within
    return _ratio(first, last, denominator, served_within, denominator, incomplete=incomplete)


def _histogram(rows: list[Cell]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for cell in rows:
        if cell.bucket is not None:
            counts[cell.bucket] += cell.n
    return counts
