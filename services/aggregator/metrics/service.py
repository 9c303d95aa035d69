"""Adding to the cells, and reading figures of a part of the organisation from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.aggregator.metrics import generations, queries
from services.aggregator.metrics.answers import DEFAULT_WITHIN, By
from services.aggregator.metrics.buckets import bucket_of
from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.models import NO_BUCKET
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.rollups import STRIPES, rollup
from services.aggregator.metrics.values import Cell, Contribution
from shared.db.uow import Reads, Uow
from shared.directory.replica import AFTER_ANY_ID, UnitRow
from shared.events import parking, positions

Period = tuple[Any, ...]
"""What tells a period from others: a day, a year and month, or nothing."""


async def add(uow: Uow, generation: int, changes: Sequence[Contribution], *, stripe: int) -> None:
    """Add merged ``changes`` to the cells of a generation; rows in the order of their keys, so that no two
    transactions wait for each other in a circle."""
    cells = [
        {
            "generation": generation,
            "metric": each.metric,
            "unit": each.unit,
            "day": each.day,
            "bucket": NO_BUCKET if each.bucket is None else each.bucket,
            "service": each.service,
            "ticket_class": each.ticket_class,
            "n": each.n,
            "numerator": each.numerator,
            "denominator": each.denominator,
        }
        # A metric has buckets or has none, so that None is never compared with a number.
        for each in sorted(changes, key=_cell_key)
    ]
    await uow.many(queries.ADD_CELLS, cells, distinct=True)
    sums = [
        {"generation": generation, "metric": metric, "day": day, "stripe": stripe % STRIPES}
        | dict(zip(("n", "numerator", "denominator"), amounts, strict=True))
        for (day, metric), amounts in sorted(rollup(changes).items())
        if any(amounts)
    ]
    await uow.many(queries.ADD_ROLLUPS, sums, distinct=True)


def _cell_key(each: Contribution) -> tuple[str, str, date, int, str, str]:
    bucket = NO_BUCKET if each.bucket is None else each.bucket
    return each.metric, each.unit, each.day, bucket, each.service, each.ticket_class


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
        """The parameters of :func:`.queries.below`."""
        if self.leaf:
            return {"unit": self.unit.id}
        return {"path": self.unit.path, "path_end": self.unit.path + AFTER_ANY_ID}

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


async def cells(reads: Reads, asked: Question) -> dict[Period, list[Cell]]:
    """The cells of each period of the answer that has any, in one query: no more of them than the answer needs."""
    rows = await reads.all(
        queries.CELLS[asked.metric.kind, asked.by, asked.leaf],
        generation=await generations.active(reads),
        metric=asked.metric.id,
        first=asked.first,
        last=asked.last,
        limit=bucket_of(asked.within),
        **asked.place,
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
