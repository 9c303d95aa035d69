"""The visit: one aggregate root from ticket to end."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel

_WAITING = sa.text("status = 'waiting'")
_OPEN = sa.text("status IN ('waiting', 'called')")


class Visit(QueueModel, table=True):
    """A visit (一次到店). ``order_at`` is the issue time less the head start of its class: the order of calling.

    ``content`` is the fingerprint of an imported line, so that the same line again changes nothing; ``contact`` is
    sealed. Numbers are unique per branch, business date and prefix, without gaps.
    """

    __tablename__ = "visit"
    __table_args__ = (
        sa.CheckConstraint("status IN ('waiting', 'called', 'serving', 'served', 'no_show', 'left')", name="status"),
        sa.UniqueConstraint("unit", "business_date", "number"),
        # All that counting and choosing look at, so that a full hall is read from the index alone.
        sa.Index(
            "ix_visit_waiting",
            "unit",
            "business_date",
            "order_at",
            "id",
            "service",
            "status",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        sa.Index("ix_visit_open", "business_date", "unit", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: str = Field(primary_key=True)
    unit: str
    business_date: date
    number: str
    service: str
    ticket_class: str
    channel: str
    status: str
    origin: str
    issued_at: datetime
    order_at: datetime
    called_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    left_at: datetime | None = None
    end_cause: str | None = None
    wait_seconds: int | None = None
    handling_seconds: int | None = None
    calls: int
    window: str | None = None
    staff: str | None = None
    staff_external: str | None = None
    quote_p50: int | None = None
    quote_p80: int | None = None
    token_hash: str | None = Field(default=None, unique=True)
    contact: str | None = None
    content: str | None = None
    version: int


class TicketCounter(QueueModel, table=True):
    """The last number given out per branch, business date and prefix."""

    __tablename__ = "ticket_counter"

    unit: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    prefix: str = Field(primary_key=True)
    last: int
