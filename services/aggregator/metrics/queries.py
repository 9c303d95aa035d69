"""Every SELECT and write of cells and rollups."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.metrics.answers import By
from services.aggregator.metrics.models import Cell, Rollup
from services.aggregator.metrics.registry import Kind
from shared.db.statements import table, upsert
from shared.directory.tables import dir_unit

_cell, _rollup = table(Cell), table(Rollup)
_p = sa.bindparam

PERIODS: Final[tuple[By, ...]] = ("day", "month", "total")
QUANTILES: Final = (50, 90, 95)
"""The quantiles, in percent, that an answer holds."""


def _adding(target: sa.Table, keys: list[str]) -> Any:
    sums = ("n", "numerator", "denominator")
    return upsert(target, keys, {name: target.c[name] + sa.literal_column(f"excluded.{name}") for name in sums})


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


def total(column: Any, name: str) -> Any:
    """A sum that is a whole number on both databases (PostgreSQL makes a numeric of it)."""
    return sa.cast(sa.func.sum(column), sa.BigInteger).label(name)


def below(target: sa.Table, *, leaf: bool) -> tuple[Any, Any]:
    """What to select from, and the condition that keeps one unit, or the units of a part of the tree by path."""
    if leaf:
        return target, target.c.unit == _p("unit")
    return target.join(dir_unit, dir_unit.c.unit == target.c.unit), sa.and_(
        dir_unit.c.path >= _p("path"), dir_unit.c.path < _p("path_end")
    )


def _cells(by: By, *, leaf: bool) -> tuple[Any, list[Any]]:
    """Rows to sum, without columns yet, and the columns of their periods."""
    source, where = below(_cell, leaf=leaf)
    rows = (
        sa.select()
        .select_from(source)
        .where(
            where,
            _cell.c.generation == _p("generation"),
            _cell.c.metric == _p("metric"),
            _cell.c.day.between(_p("first"), _p("last")),
        )
    )
    return rows, period_of(_cell.c.day, by)


def _sums(source: Any) -> list[Any]:
    return [total(source[name], name) for name in ("n", "numerator", "denominator")]


def _plain(by: By, *, leaf: bool) -> Any:
    """One row a period, in the bucket that is none."""
    rows, keys = _cells(by, leaf=leaf)
    return rows.add_columns(_cell.c.bucket, *_sums(_cell.c), *keys).group_by(
        *[key.element for key in keys], _cell.c.bucket
    )


def _levels(by: By, *, leaf: bool) -> Any:
    """At most three rows a period: the buckets below ``limit``, that bucket, and those above."""
    rows, keys = _cells(by, leaf=leaf)
    side = sa.case((_cell.c.bucket < _p("limit"), 0), (_cell.c.bucket == _p("limit"), 1), else_=2)
    return rows.add_columns(sa.func.max(_cell.c.bucket).label("bucket"), *_sums(_cell.c), *keys).group_by(
        *[key.element for key in keys], side
    )


def _durations(by: By, *, leaf: bool) -> Any:
    """The few rows a period that answer its quantiles: each bucket in which one lies, and what lies between, summed.

    The rank of a quantile is the same in such a histogram as in the whole one, of some hundred buckets.
    """
    whole = _plain(by, leaf=leaf).subquery()
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
    return sa.select(sa.func.max(counted.c.bucket).label("bucket"), *_sums(counted.c), *keys).group_by(
        *keys, reached(counted.c.upto - counted.c.n), reached(counted.c.upto)
    )


_MAKERS: Final[dict[Kind, Any]] = {
    "count": _plain, "ratio": _plain, "duration": _durations, "service_level": _levels,
}  # fmt: skip
CELLS: Final = {
    (kind, by, leaf): make(by, leaf=leaf) for kind, make in _MAKERS.items() for by in PERIODS for leaf in (True, False)
}
"""Cells of a metric summed by period, by (kind of metric, period, whether the unit is a leaf of the tree)."""

HAS_BELOW: Final = (
    sa.select(dir_unit.c.unit)
    .where(dir_unit.c.path > _p("path"), dir_unit.c.path < _p("path_end"))
    .limit(sa.literal_column("1"))
)

ROLLUPS: Final = (
    sa.select(
        _rollup.c.metric, _rollup.c.day, *[total(_rollup.c[name], name) for name in ("n", "numerator", "denominator")]
    )
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


DROP_OLD: Final = (_drop(_cell), _drop(_rollup))
"""Delete some rows of generations before the active one."""
