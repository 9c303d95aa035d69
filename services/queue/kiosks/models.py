"""Tables of the kiosks."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel

_OPEN = sa.text("answered_at IS NULL")


class Lease(QueueModel, table=True):
    """Numbers lent to a kiosk: ``count`` of them from ``first`` on, drawn from the counter of all tickets.

    Each has a visit's id and a link that follow from the lease, so that a code printed off the line opens its page.
    """

    __tablename__ = "kiosk_lease"

    id: str = Field(primary_key=True)
    unit: str
    device: str
    service: str
    prefix: str
    business_date: date
    first: int
    count: int
    issued_at: datetime
    expires_at: datetime


class KioskAction(QueueModel, table=True):
    """What a kiosk reported, once: its own time, the time we hold for true, and what became of it."""

    __tablename__ = "kiosk_action"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('issue', 'help')", name="kind"),
        sa.CheckConstraint("result IN ('applied', 'rejected')", name="result"),
    )

    id: str = Field(primary_key=True)
    device: str
    kind: str
    seq: int
    visit: str | None = None
    device_time: datetime
    occurred_at: datetime
    skew_seconds: int
    received_at: datetime
    result: str
    reason: str | None = None


class HelpCall(QueueModel, table=True):
    """A customer asked for a person at a kiosk (找工作人员)."""

    __tablename__ = "help_call"
    __table_args__ = (sa.Index("ix_help_call_unit", "unit", sqlite_where=_OPEN, postgresql_where=_OPEN),)

    id: str = Field(primary_key=True)
    unit: str
    device: str
    asked_at: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
