"""Members of staff."""

import sqlalchemy as sa
from sqlmodel import Field

from services.staff.base import Base


class PersonRow(Base, table=True):
    """A member of staff (员工).

    ``name_sealed`` is the name under the record's own key; ``name_masked`` is made when the name is written, so that no
    list has to open a single name.
    """

    __tablename__ = "person"
    __table_args__ = (sa.Index("ix_person_unit_id", "unit", "id"),)

    id: str = Field(primary_key=True, sa_type=sa.Text)
    unit: str = Field(foreign_key="unit.id", sa_type=sa.Text)
    post: str = Field(sa_type=sa.Text)
    active: bool
    name_sealed: str = Field(sa_type=sa.Text)
    name_masked: str = Field(sa_type=sa.Text)
    version: int
