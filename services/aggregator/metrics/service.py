"""Adding to the cells, and reading figures of a part of the organisation from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, Final, NamedTuple

from services.aggregator.metrics import generations, lifting, queries
from services.aggregator.metrics.answers import DEFAULT_WITHIN, By
from services.aggregator.metrics.buckets import EDGES, bucket_of, partial_bucket
from services.aggregator.metrics.contributions import lifted
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.models import NO_BUCKET
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.rollups import STRIPES, rollup
from services.aggregator.metrics.sources import Source
from services.aggregator.metrics.values import Cell, Contribution
from shared.db.uow import Reads, Uow
from shared.directory.replica import AFTER_ANY_ID, UnitRow
from shared.events import parking, positions

Period = tuple[Any, ...]
"""What tells a period from others: a day, a year and month, or nothing."""


async def add(uow: Uow, generation: int, changes: Sequence[Contribution], *, stripe: int) -> None:
    """Add merged ``changes`` to the cells of a generation, and leave them for the subtotals; rows in the order of their
    keys, so that no two transactions wait for each other in a circle."""
    if not changes:
        return
    await uow.many(queries.ADD_CELLS, _columns(generation, sorted(changes, key=_CELL_KEY)), distinct=True)
    if carried := lifted(changes):
        await uow.many(lifting.ADD_CARRY, _columns(generation, carried), distinct=True)
    sums = [
        {"generation": generation, "metric": metric, "day": day, "stripe": stripe % STRIPES}
        | dict(zip(("n", "numerator", "denominator"), amounts, strict=True))
        for (day, metric), amounts in sorted(rollup(changes).items())
        if any(amounts)
    ]
    await uow.many(queries.ADD_ROLLUPS, sums, distinct=True)


_ORDER: Final = ("metric", "unit", "day", "bucket", "service", "ticket_class")
_CELL_KEY: Final = itemgetter(*map(Contribution._fields.index, _ORDER))


def _columns(generation: int, changes: Sequence[Contribution]) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = dict(zip(Contribution._fields, zip(*changes, strict=True), strict=True))
    columns["generation"] = [generation] * len(changes)
    columns["bucket"] = [NO_BUCKET if each is None else each for each in columns["bucket"]]
    return columns


@dataclass(frozen=True, slots=True)
class Question:
    """A metric of a unit and all below it, from ``first`` to ``last`` (both included), by period.

    ``within`` is the limit of a service level in seconds.
    """

    metric: Metric
    unit: UnitRow
    first: date
    last: date
    by: By
    leaf: bool
    within: int = DEFAULT_WITHIN

    @property
    def place(self) -> dict[str, str]:
        """Where: the parameters of any source."""
        return {"unit": self.unit.id, "path": self.unit.path, "path_end": self.unit.path + AFTER_ANY_ID}

    @property
    def limits(self) -> dict[str, Any]:
        """The parameters of a service level: its limit, the last bucket that lies within it as a whole, the first
        second of the bucket that it cuts, and every day, as seconds are read day by day."""
        if self.metric.kind != "service_level":
            return {}
        cut = partial_bucket(self.within)
        full = bucket_of(self.within) if cut is None else cut - 1
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]
        return {"within": self.within, "full": full, "least": EDGES[full] + 1, "days": days}

    def of(self, metric: Metric) -> "Question":
        """The same question about another metric."""
        return replace(self, metric=metric)

    def over(self, by: By) -> "Question":
        """The same question by other periods."""
        return replace(self, by=by)

    def period(self, first: date) -> Period:
        """The period of which ``first`` is a day."""
        return {"day": (first,), "month": (first.year, first.month), "total": ()}[self.by]


async def is_leaf(reads: Reads, unit: UnitRow) -> bool:
    """Whether no other unit lies below ``unit``."""
    return await reads.one(queries.HAS_BELOW, path=unit.path, path_end=unit.path + AFTER_ANY_ID) is None


class Reading(NamedTuple):
    """Which generation is read, from where, and whether its buckets mean what this code thinks."""

    generation: int
    source: Source
    legible: bool


async def read_from(reads: Reads, asked: Question) -> Reading:
    """Where the figures that are asked for come from."""
    state = await generations.look(reads)
    source: Source = "unit" if asked.leaf else "tree" if generations.has_subtotals(state) else "sum"
    return Reading(
        generations.FIRST if state is None else state.active, source, generations.legible(state, asked.metric)
    )


async def cells(reads: Reads, asked: Question) -> dict[Period, list[Cell]]:
    """The cells of each period of the answer that has any, in one query: no more of them than the answer needs."""
    reading = await read_from(reads, asked)
    if not reading.legible:
        return {}
    rows = await reads.all(
        queries.CELLS[asked.metric.kind, asked.by, reading.source],
        generation=reading.generation,
        metric=asked.metric.id,
        first=asked.first,
        last=asked.last,
        **asked.place,
        **asked.limits,
    )
    found: dict[Period, list[Cell]] = {}
    for bucket, n, numerator, denominator, *period in rows:
        cell = Cell(None if bucket == NO_BUCKET else bucket, n, numerator, denominator)
        found.setdefault(tuple(period), []).append(cell)
    return found


async def incomplete(reads: Reads) -> frozenset[str]:
    """The metrics whose figures may lack something that is known to be under way.

    All of them while events lag, a subject is parked, or an event could not be read; else those whose cells wait for a
    rebuild.
    """
    if await positions.lag(reads) > 0 or any(await parking.depth(reads)):
        return frozenset(METRICS)
    state = await generations.look(reads)
    return frozenset(each for each in METRICS if not generations.made_by_us(state, each))
