"""Tables of the cells: sums that answer every question about flow, and which generation of them is read."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from services.aggregator.base import AggregatorModel

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
