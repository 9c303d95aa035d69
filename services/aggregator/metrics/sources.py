"""Where the figures of a unit and all below it are summed from.

``unit``: the cells of the unit, below which there is nothing. ``tree``: the unit's own cells, its subtotals, and the
carries of the units below it that are not in the subtotals yet. ``sum``: the cells of all units below, one by one,
which is slow for a large part of the tree: until a rebuild has made subtotals.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import sqlalchemy as sa

from services.aggregator.metrics.buckets import BEYOND, STEPS
from services.aggregator.metrics.definitions import LEVELS
from services.aggregator.metrics.models import Carry, Cell, Subtotal, SubtotalSecond, UnitAbove
from shared.db.statements import table
from shared.db.types import any_of
from shared.directory.replica import AFTER_ANY_ID
from shared.directory.tables import dir_unit

Source = Literal["unit", "tree", "sum"]
SOURCES: Final[tuple[Source, ...]] = ("unit", "tree", "sum")
SUMS: Final = ("n", "numerator", "denominator")

cell, carry, subtotal, second, above = map(table, (Cell, Carry, Subtotal, SubtotalSecond, UnitAbove))
_child = dir_unit.alias("child")
_p = sa.bindparam


def whole(number: int) -> Any:
    """A number written into the statement."""
    return sa.literal_column(str(number), sa.Integer)


def total(column: Any, name: str) -> Any:
    """A sum that is a whole number on both databases (PostgreSQL makes a numeric of it)."""
    return sa.cast(sa.func.sum(column), sa.BigInteger).label(name)


def bucket_in_sql(seconds: Any) -> Any:
    """:func:`.buckets.bucket_of` as an expression (proven by test_the_database_finds_the_same_bucket)."""
    cases, start, count = [], 0, 0
    for last, width in STEPS:
        # Rounded up; the seconds from the run's start are never negative where this case is reached.
        steps = (seconds - whole(start) + whole(width - 1)) // whole(width)
        cases.append((seconds <= whole(last), whole(count) + steps))
        count += (last - start) // width
        start = last
    return sa.case(*cases, else_=whole(count + 1))


def is_level(metric: Any) -> Any:
    """The condition that a metric is kept by second."""
    return metric.in_([sa.literal_column(f"'{each}'") for each in sorted(LEVELS)])


def kept_bucket(metric: Any, bucket: Any) -> Any:
    """The bucket under which a subtotal is kept."""
    return sa.case((is_level(metric), bucket_in_sql(bucket)), else_=bucket)


class _Parts:
    """The parts of a source, each a SELECT of place (None: one place), metric, day, bucket and sums."""

    def __init__(self, metric: Any, *, levels: bool, children: bool, days: bool) -> None:
        self.metric, self.levels, self.children, self.days = metric, levels, children, days
        self.found: list[Any] = []

    def add(self, rows: sa.Table, origin: Any, place: Any, where: Sequence[Any], bucket: Any, *, sign: int = 1) -> None:
        """One part: ``rows`` out of ``origin``."""
        where = [*where, rows.c.generation == _p("generation"), self.metric(rows.c.metric)]
        if rows is second:
            # Day by day, so that of each only the seconds that are asked for are read.
            where.append(any_of(rows.c.day, "days"))
        elif self.days:
            where.append(rows.c.day.between(_p("first"), _p("last")))
        sums = [(rows.c[name] if sign > 0 else -rows.c[name]).label(name) for name in SUMS]
        labels = [place.label("place")] if self.children else []
        columns = [*labels, rows.c.metric, rows.c.day, bucket.label("bucket"), *sums]
        self.found.append(sa.select(*columns).select_from(origin).where(*where))

    def exact(self, bucket: Any) -> Any:
        """The bucket of a cell or carry: of a service level only whether it is within the limit."""
        return sa.case((bucket <= _p("within"), whole(0)), else_=whole(BEYOND)) if self.levels else bucket

    def asked(self, unit: Any) -> Any:
        """The condition that a column is the unit, or one of the ``units`` right below it."""
        return any_of(unit, "units") if self.children else unit == _p("unit")

    def own(self) -> None:
        """The cells of the unit itself."""
        self.add(cell, cell, cell.c.unit, [self.asked(cell.c.unit)], self.exact(cell.c.bucket))

    def subtotals(self) -> None:
        """The subtotals; where a limit cuts a bucket, its seconds within the limit change sides."""
        unit, bucket = subtotal.c.unit, subtotal.c.bucket
        if not self.levels:
            self.add(subtotal, subtotal, unit, [self.asked(unit)], bucket)
            return
        side = sa.case((bucket <= _p("full"), whole(0)), else_=whole(BEYOND))
        self.add(subtotal, subtotal, unit, [self.asked(unit)], side)
        where = [self.asked(second.c.unit), second.c.second.between(_p("least"), _p("within"))]
        self.add(second, second, second.c.unit, where, whole(0))
        self.add(second, second, second.c.unit, where, whole(BEYOND), sign=-1)

    def carries(self) -> None:
        """What is not in the subtotals yet."""
        origin = carry.join(above, above.c.unit == carry.c.unit)
        self.add(carry, origin, above.c.above, [self.asked(above.c.above)], self.exact(carry.c.bucket))

    def below(self) -> None:
        """The cells of the unit and all below it."""
        tree: Any = cell.join(dir_unit, dir_unit.c.unit == cell.c.unit)
        end: Any = sa.literal_column(f"'{AFTER_ANY_ID}'")
        if self.children:
            inside = sa.and_(dir_unit.c.path >= _child.c.path, dir_unit.c.path < _child.c.path + end)
            where = [any_of(_child.c.unit, "units")]
            self.add(cell, tree.join(_child, inside), _child.c.unit, where, self.exact(cell.c.bucket))
            return
        where = [dir_unit.c.path >= _p("path"), dir_unit.c.path < _p("path_end")]
        self.add(cell, tree, dir_unit.c.unit, where, self.exact(cell.c.bucket))


def one_metric(column: Any) -> Any:
    """The metric of the parameter ``metric``."""
    return column == _p("metric")


def rows_of(
    source: Source, metric: Any = one_metric, *, levels: bool = False, children: bool = False, days: bool = True
) -> Any:
    """The rows to sum: metric, day, bucket, n, numerator, denominator, and ``place`` of the ``units`` right below.

    ``metric`` makes the condition on a column; with ``levels`` the bucket is 0 within the limit and
    :data:`.buckets.BEYOND` above, so that the parameters of :attr:`.service.Question.limits` are needed.
    """
    parts = _Parts(metric, levels=levels, children=children, days=days)
    if source == "sum":
        parts.below()
    else:
        parts.own()
    if source == "tree":
        parts.subtotals()
        parts.carries()
    found: Any = parts.found[0] if len(parts.found) == 1 else sa.union_all(*parts.found)
    return found.subquery("figures")
