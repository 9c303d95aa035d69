"""Statements that bring changes of cells into the subtotals of the units above."""

from typing import Any, Final

import sqlalchemy as sa

from services.aggregator.metrics.buckets import EDGES, STEPS
from services.aggregator.metrics.models import SubtotalLock, UnitPlace
from services.aggregator.metrics.sources import SUMS, above, carry, cell, is_level, kept_bucket, second, subtotal, whole
from shared.db.statements import insert, table, upsert
from shared.db.types import any_of
from shared.directory.tables import dir_unit

_place, _lock = table(UnitPlace), table(SubtotalLock)
_p = sa.bindparam

HOLD: Final = upsert(_lock, ["id"], ["id"])
"""Hold the lock ``id`` to the end of the transaction, whether it is there yet or not."""

ADD_CARRY: Final = insert(carry, without=["seq"])
WAITING: Final = sa.select(carry.c.seq).limit(whole(1))


def _runs() -> Any:
    """The oldest carries as runs without a gap, so that no row can turn up inside one later."""
    oldest = sa.select(carry.c.seq).order_by(carry.c.seq).limit(_p("most", type_=sa.Integer)).subquery()
    island = (oldest.c.seq - sa.func.row_number().over(order_by=oldest.c.seq)).label("island")
    placed = sa.select(oldest.c.seq, island).subquery()
    first = sa.func.min(placed.c.seq).label("first")
    return sa.select(first, sa.func.max(placed.c.seq).label("last")).group_by(placed.c.island).order_by(first)


RUNS: Final = _runs()
_IN_RUN: Final = carry.c.seq.between(_p("first"), _p("last"))
CARRIED: Final = sa.delete(carry).where(_IN_RUN)


def _adding(target: sa.Table, rows: Any) -> Any:
    keys = [column.name for column in target.primary_key.columns]
    changes = {name: target.c[name] + sa.literal_column(f"excluded.{name}") for name in SUMS}
    # In the order of the keys, so that no two transactions wait for each other in a circle.
    return upsert(target, keys, changes, rows=rows.order_by(*[sa.literal_column(name) for name in keys]))


def _lifted(source: Any, where: Any, sign: Any) -> tuple[Any, Any]:
    """Add ``sign`` times the rows of ``source`` to both tables of subtotals of the units above."""
    tree = source.join(above, above.c.unit == source.c.unit)
    sums = [sa.cast(sa.func.sum(source.c[name]) * sign, sa.BigInteger).label(name) for name in SUMS]
    keys = [source.c.generation, source.c.metric, above.c.above, source.c.day]

    def grouped(place: Any) -> Any:
        generation, metric, unit, day = keys
        return sa.select(generation, metric, unit.label("unit"), day, place, *sums).select_from(tree).where(where)

    bucket = kept_bucket(source.c.metric, source.c.bucket)
    coarse = grouped(bucket.label("bucket")).group_by(*keys, bucket)
    fine = (
        grouped(source.c.bucket.label("second"))
        # A bucket of one second is exact already, and no limit lies beyond the last edge.
        .where(is_level(source.c.metric), source.c.bucket.between(whole(STEPS[0][0] + 1), whole(EDGES[-1])))
        .group_by(*keys, source.c.bucket)
    )
    return _adding(subtotal, coarse), _adding(second, fine)


CARRY_UP: Final = _lifted(carry, _IN_RUN, whole(1))
"""Add the carries ``first`` to ``last`` to the subtotals."""


def _settled() -> Any:
    """What of the cells of the ``units`` is in subtotals: all but their carries."""
    names = ("generation", "metric", "unit", "day", "bucket")
    cells = sa.select(*[cell.c[name] for name in (*names, *SUMS)]).where(
        any_of(cell.c.generation, "generations"), any_of(cell.c.metric, "metrics"), any_of(cell.c.unit, "units")
    )
    open_ = sa.select(*[carry.c[name] for name in names], *[(-carry.c[name]).label(name) for name in SUMS]).where(
        any_of(carry.c.generation, "generations"), any_of(carry.c.unit, "units")
    )
    return sa.union_all(cells, open_).subquery("settled")


SHIFT: Final = _lifted(_settled(), sa.true(), _p("sign", type_=sa.BigInteger))
"""Add (``sign`` 1) the settled figures of ``units`` to the subtotals of the units above, or take them away (-1)."""

_differs: Final = sa.or_(_place.c.path.is_(None), _place.c.path != dir_unit.c.path)
_places: Final = sa.select(dir_unit.c.unit, dir_unit.c.path, _place.c.path.label("before")).select_from(
    dir_unit.outerjoin(_place, _place.c.unit == dir_unit.c.unit)
)
MISPLACED: Final = _places.where(_differs).limit(_p("most", type_=sa.Integer))
MISPLACED_OF: Final = _places.where(_differs, any_of(dir_unit.c.unit, "units"))
KEEP_PLACE: Final = upsert(_place, ["unit"], ["path"])
DROP_ABOVE: Final = sa.delete(above).where(any_of(above.c.unit, "units"))
ADD_ABOVE: Final = insert(above)
