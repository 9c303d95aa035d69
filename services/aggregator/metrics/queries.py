"""Every SELECT and write of cells and rollups."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.metrics.answers import By
from services.aggregator.metrics.models import Cell, Rollup
from shared.db.statements import table, upsert
from shared.directory.tables import dir_unit

_cell, _rollup = table(Cell), table(Rollup)
_p = sa.bindparam


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


def _cells(by: By, *, leaf: bool) -> Any:
    source, where = below(_cell, leaf=leaf)
    keys = period_of(_cell.c.day, by)
    sums = [total(_cell.c[name], name) for name in ("n", "numerator", "denominator")]
    return (
        sa.select(_cell.c.bucket, *sums, *keys)
        .select_from(source)
        .where(
            where,
            _cell.c.generation == _p("generation"),
            _cell.c.metric == _p("metric"),
            _cell.c.day.between(_p("first"), _p("last")),
        )
        .group_by(*[key.element for key in keys], _cell.c.bucket)
    )


CELLS: Final = {(by, leaf): _cells(by, leaf=leaf) for by in ("day", "month", "total") for leaf in (True, False)}
"""Cells of a metric summed by period and bucket, by (period, whether the unit is a leaf of the tree)."""

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
