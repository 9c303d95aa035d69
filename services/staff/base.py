"""The base of the service's tables: one MetaData, constraint names as in the kit's."""

import sqlalchemy as sa
from sqlmodel import SQLModel


class Base(SQLModel):
    """Every table of the staff service derives from this."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
