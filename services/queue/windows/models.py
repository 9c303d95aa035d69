"""Tables of the windows."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel
from shared.db.types import JsonText

_STAFFED = sa.text("staff IS NOT NULL")


class Window(QueueModel, table=True):
    """A window of a branch. ``visit`` is the one called to it or served at it; a teller runs one window at a time."""

    __tablename__ = "window"
    __table_args__ = (
        sa.CheckConstraint("state IN ('closed', 'open', 'break')", name="state"),
        sa.CheckConstraint("(state = 'closed') = (staff IS NULL)", name="staffed"),
        sa.Index("ix_window_staff", "staff", unique=True, sqlite_where=_STAFFED, postgresql_where=_STAFFED),
    )

    unit: str = Field(primary_key=True)
    no: str = Field(primary_key=True)
    state: str
    configured: list[Any] | None = Field(default=None, sa_type=JsonText)
    staff: str | None = None
    visit: str | None = None
    opened_at: datetime | None = None
    version: int


class WindowService(QueueModel, table=True):
    """What an open window serves; a closed window has no rows here, one on a break keeps them."""

    __tablename__ = "window_service"
    __table_args__ = (sa.Index("ix_window_service_unit_service", "unit", "service"),)

    unit: str = Field(primary_key=True)
    no: str = Field(primary_key=True)
    service: str = Field(primary_key=True)


class Override(QueueModel, table=True):
    """A manager let a person work without a qualification for one business day; the reason is sealed."""

    __tablename__ = "override"
    __table_args__ = (sa.Index("ix_override_unit_staff", "unit", "staff", "business_date"),)

    id: str = Field(primary_key=True)
    unit: str
    staff: str
    qualification: str
    business_date: date
    reason: str
    granted_by: str
    granted_at: datetime


class Hall(QueueModel, table=True):
    """One row a branch: the lock under which the next customer is chosen, and the count of changes of the hall."""

    __tablename__ = "hall"

    unit: str = Field(primary_key=True)
    seq: int
