"""Qualifications as granted."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from services.staff.base import Base


class QualificationRow(Base, table=True):
    """A qualification (岗位资格) of a person. The reason of a revocation is free text and kept encrypted."""

    __tablename__ = "qualification"
    __table_args__: Any = (
        sa.CheckConstraint("valid_to > valid_from", name="period"),
        sa.Index("ix_qualification_person_id", "person", "id"),
    )

    id: str = Field(primary_key=True, sa_type=sa.Text)
    person: str = Field(foreign_key="person.id", sa_type=sa.Text)
    code: str = Field(sa_type=sa.Text)
    valid_from: datetime
    valid_to: datetime
    evidence_ref: str | None = Field(default=None, sa_type=sa.Text)
    granted_by: str = Field(sa_type=sa.Text)
    granted_at: datetime
    revoked_by: str | None = Field(default=None, sa_type=sa.Text)
    revoked_at: datetime | None = None
    revoke_reason_sealed: str | None = Field(default=None, sa_type=sa.Text)
    version: int
