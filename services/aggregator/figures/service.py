"""What the API and the pages show of metrics; both take it from here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.aggregator.figures import queries
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.answers import Point, periods, point
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.models import NO_BUCKET
from services.aggregator.metrics.service import Period, Question
from services.aggregator.metrics.values import Cell
from shared.db.statements import Row
from shared.db.uow import Reads

MOST_CHILDREN = 200
MOST_DAYS_OF_FACTS = 92

_PLAIN = [each.id for each in METRICS.values() if each.kind in ("count", "ratio")]


@dataclass(frozen=True, slots=True)
class Child:
    """A unit right below, and its figure; n is 0 where there is nothing."""

    unit: str
    kind: str
    point: Point


async def points(reads: Reads, asked: Question, late: frozenset[str] | None = None) -> list[Point]:
    """The figures of a unit and all below it, a point for each period, also an empty one.

    ``late`` are the metrics whose figures are incomplete (:func:`.metrics.service.incomplete`), for who asks more than
    once.
    """
    late = await metrics.incomplete(reads) if late is None else late
    metric, within = asked.metric, asked.within
    incomplete = metric.id in late
    cells = await metrics.cells(reads, asked)
    return [
        point(metric, start, end, cells.get(asked.period(start), ()), incomplete=incomplete, within=within)
        for start, end in periods(asked.first, asked.last, asked.by)
    ]


async def wall(reads: Reads, asked: Question) -> dict[str, tuple[Point, list[Point]]]:
    """Of every metric its total over the period and its points: seven queries for all.

    Counts and shares come by one query and are summed; durations and service levels keep their own, because quantiles
    and limits need buckets. ``asked.metric`` does not matter.
    """
    found: dict[tuple[str, Period], list[Cell]] = {}
    reading = await metrics.read_from(reads, asked)
    rows = await reads.all(
        queries.DAILY[reading.source],
        generation=reading.generation,
        metrics=_PLAIN,
        first=asked.first,
        last=asked.last,
        **asked.place,
    )
    for metric, day, n, numerator, denominator in rows:
        found.setdefault((metric, asked.period(day)), []).append(Cell(None, n, numerator, denominator))
    late = await metrics.incomplete(reads)
    shown = {}
    for metric in METRICS.values():
        one = asked.of(metric)
        if metric.id not in _PLAIN:
            shown[metric.id] = ((await points(reads, one.over("total"), late))[0], await points(reads, one, late))
            continue
        incomplete = metric.id in late
        series = [
            point(metric, start, end, found.get((metric.id, asked.period(start)), ()), incomplete=incomplete)
            for start, end in periods(asked.first, asked.last, asked.by)
        ]
        every = [Cell(None, each.n, each.numerator, each.denominator or 0) for each in series]
        shown[metric.id] = (point(metric, asked.first, asked.last, every, incomplete=incomplete), series)
    return shown


async def histogram(reads: Reads, asked: Question) -> Counter[int]:
    """How many durations lie in each bucket, over the whole period."""
    reading = await metrics.read_from(reads, asked)
    rows = await reads.all(
        queries.HISTOGRAM[reading.source],
        generation=reading.generation,
        metric=asked.metric.id,
        first=asked.first,
        last=asked.last,
        **asked.place,
    )
    return Counter({bucket: n for bucket, n in rows if bucket != NO_BUCKET})


async def children(reads: Reads, asked: Question, late: frozenset[str] | None = None) -> list[Child]:
    """The figure of each unit right below over the whole period, at most :data:`MOST_CHILDREN`; one query for all.

    ``late`` as in :func:`points`.
    """
    known = await reads.all(queries.CHILDREN, unit=asked.unit.id, most=MOST_CHILDREN)
    if not known:
        return []
    reading = await metrics.read_from(reads, asked)
    levels = asked.metric.kind == "service_level"
    rows: Sequence[Row] = []
    if reading.legible:
        rows = await reads.all(
            queries.OF_CHILDREN[reading.source, levels],
            generation=reading.generation,
            metric=asked.metric.id,
            first=asked.first,
            last=asked.last,
            units=[row.unit for row in known],
            **asked.limits,
        )
    cells: dict[str, list[Cell]] = {}
    for unit, bucket, n, numerator, denominator in rows:
        cells.setdefault(unit, []).append(Cell(None if bucket == NO_BUCKET else bucket, n, numerator, denominator))
    incomplete = asked.metric.id in (await metrics.incomplete(reads) if late is None else late)
    return [
        Child(
            row.unit,
            row.kind,
            point(
                asked.metric,
                asked.first,
                asked.last,
                cells.get(row.unit, ()),
                incomplete=incomplete,
                within=asked.within,
            ),
        )
        for row in known
    ]


async def half_hours(reads: Reads, asked: Question) -> Sequence[Row]:
    """The groups of :data:`.queries.HALF_HOURS`; nothing unless one branch and at most a quarter is asked for."""
    if not asked.leaf or (asked.last - asked.first).days >= MOST_DAYS_OF_FACTS:
        return []
    return await reads.all(
        queries.HALF_HOURS, unit=asked.unit.id, first=asked.first, last=asked.last, within=asked.within
    )


async def last_day(reads: Reads, asked: Question) -> date | None:
    """The last day of which anything is known, for who asked for a period without anything."""
    reading = await metrics.read_from(reads, asked)
    found: date | None = await reads.scalar(
        queries.LAST_DAY[reading.source], generation=reading.generation, metric="visits.opened", **asked.place
    )
    return found
