"""Tables of the cells: sums that answer every question about flow, and which generation of them is read."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from services.aggregator.base import AggregatorModel
from shared.db.tables import Serial

NO_BUCKET = -1
"""The bucket of a cell of a metric that is no duration; a key cannot be NULL."""


def _sum() -> sa.Column[int]:
    return sa.Column(sa.BigInteger, nullable=False)


class Cell(AggregatorModel, table=True):
    """Summed contributions of one unit, day, service, ticket class and bucket to one metric.

    The key is in the order of the usual question: one metric of one unit over days, summed by day and bucket.
    A cell that comes back to zero stays.
    """

    __tablename__ = "cell"

    generation: int = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    service: str = Field(primary_key=True)
    ticket_class: str = Field(primary_key=True)
    n: int = Field(sa_column=_sum())
    numerator: int = Field(sa_column=_sum())
    denominator: int = Field(sa_column=_sum())


class Rollup(AggregatorModel, table=True):
    """The whole bank's sums of a metric on a day, and over all days (:data:`.rollups.ALL_DAYS`), for Prometheus.

    Every batch of events changes these few rows, so each is kept in stripes that are summed when read: transactions
    that run side by side seldom wait for each other.
    """

    __tablename__ = "rollup"

    generation: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    stripe: int = Field(primary_key=True)
    n: int = Field(sa_column=_sum())
    numerator: int = Field(sa_column=_sum())
    denominator: int = Field(sa_column=_sum())


class Carry(AggregatorModel, table=True):
    """A change of cells that is not in the subtotals of the units above yet; written with the cells, never changed.

    Who asks about a unit adds the carries of the units below it to its subtotals.
    """

    __tablename__ = "carry"

    seq: int = Field(sa_column=sa.Column(Serial, primary_key=True, autoincrement=True))
    generation: int
    metric: str
    unit: str
    day: date
    bucket: int
    n: int = Field(sa_column=_sum())
    numerator: int = Field(sa_column=_sum())
    denominator: int = Field(sa_column=_sum())


class Subtotal(AggregatorModel, table=True):
    """The sums of all units below a unit, without its own, by metric, day and bucket.

    A service level's seconds are kept by :mod:`.buckets`; the exact ones are in :class:`SubtotalSecond`.
    """

    __tablename__ = "subtotal"

    generation: int = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    n: int = Field(sa_column=_sum())
    numerator: int = Field(sa_column=_sum())
    denominator: int = Field(sa_column=_sum())


class SubtotalSecond(AggregatorModel, table=True):
    """The same of a service level by second, where a bucket holds several: what a limit cuts out of one bucket.

    The day stands before the second in the key, so that what is written today lies together however many days there
    are; a question, which has one narrow span of seconds, names its days one by one.
    """

    __tablename__ = "subtotal_second"

    generation: int = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    second: int = Field(primary_key=True)
    n: int = Field(sa_column=_sum())
    numerator: int = Field(sa_column=_sum())
    denominator: int = Field(sa_column=_sum())


class UnitPlace(AggregatorModel, table=True):
    """Where in the tree a unit was when it was last counted for the units above it."""

    __tablename__ = "unit_place"

    unit: str = Field(primary_key=True)
    path: str


class UnitAbove(AggregatorModel, table=True):
    """A unit above a unit, at any distance; who stands here has the other's figures in its subtotals."""

    __tablename__ = "unit_above"

    unit: str = Field(primary_key=True)
    above: str = Field(primary_key=True)


class SubtotalLock(AggregatorModel, table=True):
    """The one row that is held by who changes subtotals or the places of units."""

    __tablename__ = "subtotal_lock"

    id: str = Field(primary_key=True)


class CellState(AggregatorModel, table=True):
    """The one row that says which generation of cells is read (``active``) and how far a rebuild has come.

    ``versions`` are the metrics' versions that made the active cells. While ``building`` is set, every fact of a stage
    before ``stage``, and those of ``stage`` with a key up to ``cursor``, are in the new cells. ``spoiled``: code of
    other versions has written to the active cells.
    """

    __tablename__ = "cell_state"
    __table_args__ = (sa.CheckConstraint("id = 'cells'", name="single"),)

    id: str = Field(primary_key=True)
    active: int
    versions: str
    spoiled: bool
    building: int | None = None
    building_versions: str | None = None
    stage: int
    cursor: str
