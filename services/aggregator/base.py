"""The base of the aggregator's tables, on metadata of its own."""

import sqlalchemy as sa
from sqlmodel import SQLModel

from shared.db.tables import KIT


class AggregatorModel(SQLModel):
    """Base of every table of this service."""

    metadata = sa.MetaData(naming_convention=KIT.naming_convention)
