"""Every SELECT of figures; each is bounded by the unit, the days and, for facts, by being of one branch."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.facts.queries import visits
from services.aggregator.metrics.sources import SOURCES, SUMS, Source, rows_of, total
from shared.db.types import any_of
from shared.directory.tables import dir_unit

_p = sa.bindparam


def _sums(rows: Any) -> list[Any]:
    return [total(rows.c[name], name) for name in SUMS]


HALF_HOUR: Final = 1_800


def _some_metrics(column: Any) -> Any:
    return any_of(column, "metrics")


def _daily(source: Source) -> Any:
    rows = rows_of(source, _some_metrics)
    return sa.select(rows.c.metric, rows.c.day, *_sums(rows)).group_by(rows.c.metric, rows.c.day)


def _histogram(source: Source) -> Any:
    rows = rows_of(source)
    return sa.select(rows.c.bucket, total(rows.c.n, "n")).group_by(rows.c.bucket)


def _last_day(source: Source) -> Any:
    return sa.select(sa.func.max(rows_of(source, days=False).c.day))


def _children(source: Source, *, levels: bool) -> Any:
    """A row a child, two for a service level: within the limit, and above."""
    rows = rows_of(source, levels=levels, children=True)
    keys = [rows.c.place, rows.c.bucket] if levels else [rows.c.place]
    bucket = rows.c.bucket if levels else sa.func.max(rows.c.bucket).label("bucket")
    return sa.select(rows.c.place, bucket, *_sums(rows)).group_by(*keys)


DAILY: Final = {source: _daily(source) for source in SOURCES}
"""Sums of the metrics ``metrics`` by day."""
HISTOGRAM: Final = {source: _histogram(source) for source in SOURCES}
LAST_DAY: Final = {source: _last_day(source) for source in SOURCES}
OF_CHILDREN: Final = {
    (source, levels): _children(source, levels=levels) for source in SOURCES for levels in (True, False)
}
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
