"""Every SELECT of figures; each is bounded by the unit, the days and, for facts, by being of one branch."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.facts.queries import visits
from services.aggregator.metrics.models import Cell
from services.aggregator.metrics.queries import below, total
from shared.db.statements import table
from shared.db.types import any_of
from shared.directory.replica import AFTER_ANY_ID
from shared.directory.tables import dir_unit

_cell = table(Cell)
_p = sa.bindparam
_SUMS: Final = [total(_cell.c[name], name) for name in ("n", "numerator", "denominator")]
_IN: Final = (_cell.c.generation == _p("generation"), _cell.c.day.between(_p("first"), _p("last")))
_METRIC: Final = _cell.c.metric == _p("metric")
_child = dir_unit.alias("child")

HALF_HOUR: Final = 1_800


def _daily(*, leaf: bool) -> Any:
    source, where = below(_cell, leaf=leaf)
    return (
        sa.select(_cell.c.metric, _cell.c.day, *_SUMS)
        .select_from(source)
        .where(where, *_IN, any_of(_cell.c.metric, "metrics"))
        .group_by(_cell.c.metric, _cell.c.day)
    )


def _histogram(*, leaf: bool) -> Any:
    source, where = below(_cell, leaf=leaf)
    return (
        sa.select(_cell.c.bucket, total(_cell.c.n, "n"))
        .select_from(source)
        .where(where, *_IN, _METRIC)
        .group_by(_cell.c.bucket)
    )


def _last_day(*, leaf: bool) -> Any:
    source, where = below(_cell, leaf=leaf)
    return (
        sa.select(sa.func.max(_cell.c.day))
        .select_from(source)
        .where(where, _cell.c.generation == _p("generation"), _METRIC)
    )


def _children() -> Any:
    """Three rows a child at most: the buckets below ``limit``, that bucket, and those above."""
    side = sa.case((_cell.c.bucket < _p("limit"), 0), (_cell.c.bucket == _p("limit"), 1), else_=2)
    tree = _cell.join(dir_unit, dir_unit.c.unit == _cell.c.unit).join(
        _child,
        sa.and_(
            _child.c.parent == _p("unit"),
            dir_unit.c.path >= _child.c.path,
            dir_unit.c.path < _child.c.path + sa.literal_column(f"'{AFTER_ANY_ID}'"),
        ),
    )
    return (
        sa.select(_child.c.unit, sa.func.max(_cell.c.bucket).label("bucket"), *_SUMS)
        .select_from(tree)
        .where(*_IN, _METRIC)
        .group_by(_child.c.unit, side)
    )


DAILY: Final = {leaf: _daily(leaf=leaf) for leaf in (True, False)}
"""Sums of the metrics ``metrics`` by day, by whether the unit is a leaf."""
HISTOGRAM: Final = {leaf: _histogram(leaf=leaf) for leaf in (True, False)}
LAST_DAY: Final = {leaf: _last_day(leaf=leaf) for leaf in (True, False)}
OF_CHILDREN: Final = _children()
CHILDREN: Final = (
    sa.select(dir_unit.c.unit, dir_unit.c.kind)
    .where(dir_unit.c.parent == _p("unit"))
    .order_by(dir_unit.c.unit)
    .limit(_p("most", type_=sa.Integer))
)
TOP: Final = sa.select(dir_unit.c.unit).where(dir_unit.c.parent.is_(None)).order_by(dir_unit.c.path).limit(1)

_slot = sa.cast(sa.extract("epoch", visits.c.issued_at), sa.BigInteger) // HALF_HOUR
_within = sa.case((visits.c.wait_seconds <= _p("within"), 1), else_=0)
HALF_HOURS: Final = (
    sa.select(
        visits.c.business_date.label("day"),
        _slot.label("slot"),
        visits.c.state,
        visits.c.origin,
        _within.label("within"),
        sa.func.count().label("n"),
        sa.func.count(visits.c.wait_seconds).label("waits"),
        total(visits.c.wait_seconds, "waited"),
        sa.func.count(visits.c.handling_seconds).label("handlings"),
        total(visits.c.handling_seconds, "handled"),
    )
    .where(visits.c.unit == _p("unit"), visits.c.business_date.between(_p("first"), _p("last")))
    .group_by(visits.c.business_date, _slot, visits.c.state, visits.c.origin, _within)
)
"""The visits of one branch in groups: day, half hour (since 1970, UTC), state, and whether in the limit."""
