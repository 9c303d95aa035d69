"""Every SELECT and write of cells and rollups; what subtotals need is in :mod:`.lifting`."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.metrics.answers import By
from services.aggregator.metrics.models import Cell, Rollup
from services.aggregator.metrics.registry import Kind
from services.aggregator.metrics.sources import SOURCES, SUMS, Source, carry, rows_of, second, subtotal, total
from shared.db.statements import table, upsert
from shared.directory.tables import dir_unit

_cell, _rollup = table(Cell), table(Rollup)
_p = sa.bindparam

PERIODS: Final[tuple[By, ...]] = ("day", "month", "total")
QUANTILES: Final = (50, 90, 95)
"""The quantiles, in percent, that an answer holds."""


def _adding(target: sa.Table, keys: list[str]) -> Any:
    return upsert(target, keys, {name: target.c[name] + sa.literal_column(f"excluded.{name}") for name in SUMS})


ADD_CELLS: Final = _adding(_cell, ["generation", "metric", "unit", "day", "bucket", "service", "ticket_class"])
ADD_ROLLUPS: Final = _adding(_rollup, ["generation", "day", "metric", "stripe"])


def period_of(day: Any, by: By) -> list[Any]:
    """The columns that tell the periods of ``by`` apart."""
    if by == "day":
        return [day.label("day")]
    if by == "month":
        return [
            sa.cast(sa.extract("year", day), sa.Integer).label("year"),
            sa.cast(sa.extract("month", day), sa.Integer).label("month"),
        ]
    return []


def _plain(by: By, source: Source, *, levels: bool = False) -> Any:
    """One row a period and bucket; a metric without buckets has one that is none, a service level has two."""
    rows = rows_of(source, levels=levels)
    keys = period_of(rows.c.day, by)
    return sa.select(rows.c.bucket, *[total(rows.c[name], name) for name in SUMS], *keys).group_by(
        *[key.element for key in keys], rows.c.bucket
    )


def _levels(by: By, source: Source) -> Any:
    """At most two rows a period: within the limit, and above."""
    return _plain(by, source, levels=True)


def _durations(by: By, source: Source) -> Any:
    """The few rows a period that answer its quantiles: each bucket in which one lies, and what lies between, summed.

    The rank of a quantile is the same in such a histogram as in the whole one, of some hundred buckets.
    """
    whole = _plain(by, source).subquery()
    keys = [whole.c[key.key] for key in period_of(_cell.c.day, by)]

    def over(**window: Any) -> Any:
        return sa.cast(sa.func.sum(whole.c.n).over(partition_by=keys or None, **window), sa.BigInteger)

    counted = sa.select(whole, over(order_by=whole.c.bucket).label("upto"), over().label("every")).subquery()
    ranks = [(counted.c.every * percent + 99) // 100 for percent in QUANTILES]

    def reached(count: Any) -> Any:
        return sum(
            (sa.case((count >= rank, 1), else_=0) for rank in ranks[1:]), sa.case((count >= ranks[0], 1), else_=0)
        )

    keys = [counted.c[key.key] for key in keys]
    sums = [total(counted.c[name], name) for name in SUMS]
    return sa.select(sa.func.max(counted.c.bucket).label("bucket"), *sums, *keys).group_by(
        *keys, reached(counted.c.upto - counted.c.n), reached(counted.c.upto)
    )


_MAKERS: Final[dict[Kind, Any]] = {
    "count": _plain, "ratio": _plain, "duration": _durations, "service_level": _levels,
}  # fmt: skip
CELLS: Final = {
    (kind, by, source): make(by, source) for kind, make in _MAKERS.items() for by in PERIODS for source in SOURCES
}
"""Cells of a metric summed by period, by (kind of metric, period, source)."""

HAS_BELOW: Final = (
    sa.select(dir_unit.c.unit)
    .where(dir_unit.c.path > _p("path"), dir_unit.c.path < _p("path_end"))
    .limit(sa.literal_column("1"))
)

ROLLUPS: Final = (
    sa.select(_rollup.c.metric, _rollup.c.day, *[total(_rollup.c[name], name) for name in SUMS])
    .where(_rollup.c.generation == _p("generation"), _rollup.c.day.in_([_p("all_days"), _p("newest"), _p("before")]))
    .group_by(_rollup.c.metric, _rollup.c.day)
)
NEWEST_DAY: Final = sa.select(sa.func.max(_rollup.c.day)).where(
    _rollup.c.generation == _p("generation"), _rollup.c.day <= _p("latest")
)


def _drop(target: sa.Table) -> Any:
    key = sa.tuple_(*target.primary_key.columns)
    some = (
        sa.select(*target.primary_key.columns)
        .where(target.c.generation < _p("active"))
        .limit(_p("most", type_=sa.Integer))
    )
    return sa.delete(target).where(key.in_(some))


DROP_OLD: Final = tuple(map(_drop, (_cell, _rollup, carry, subtotal, second)))
"""Delete some rows of generations before the active one."""
