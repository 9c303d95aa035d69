"""Units, and the ids that the directory gives out."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from services.staff.base import Base
from shared.db.types import Bytewise


class DirectoryId(Base, table=True):
    """An id taken by a unit, a person or a qualification.

    INVARIANT: no two entities of the directory share an id, whatever their kinds (proven by
    test_a_person_cannot_take_the_id_of_a_unit): the topic is compacted by that id, so one would erase the other.
    """

    __tablename__ = "directory_id"
    __table_args__ = (sa.CheckConstraint("kind IN ('unit', 'person', 'qualification')", name="kind"),)

    id: str = Field(primary_key=True, sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)


class UnitRow(Base, table=True):
    """A unit (机构) with its place in the tree as a materialised path, ``/hq/prov-gd/gz-001/``."""

    __tablename__ = "unit"
    __table_args__: Any = (
        sa.CheckConstraint("kind IN ('head_office', 'region', 'branch')", name="kind"),
        sa.CheckConstraint("valid_to > valid_from", name="period"),
    )

    id: str = Field(primary_key=True, sa_type=sa.Text)
    code: str = Field(unique=True, sa_type=sa.Text)
    parent: str | None = Field(default=None, foreign_key="unit.id", index=True, sa_type=sa.Text)
    path: str = Field(sa_column=sa.Column(Bytewise, nullable=False, index=True))
    kind: str = Field(sa_type=sa.Text)
    name_zh: str = Field(sa_type=sa.Text)
    name_en: str = Field(sa_type=sa.Text)
    zone: str = Field(sa_type=sa.Text)
    cutoff: str = Field(sa_type=sa.Text)
    valid_from: datetime
    valid_to: datetime | None = None
    version: int
