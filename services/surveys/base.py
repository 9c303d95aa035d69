"""The service's tables share one metadata, apart from every other service's."""

import sqlalchemy as sa
from sqlmodel import SQLModel

from shared.db.tables import KIT


class Base(SQLModel):
    """Base of the service's tables; constraints are named as the kit names its own."""

    metadata = sa.MetaData(naming_convention=KIT.naming_convention)
