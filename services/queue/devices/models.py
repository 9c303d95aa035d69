"""Tables of the devices."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel

_CODED = sa.text("code IS NOT NULL")


class Device(QueueModel, table=True):
    """A kiosk or a board. ``code`` stands on its screen until a manager has confirmed it; of its key only the hash is
    kept. ``outbox`` and ``lease_left`` are what a kiosk said last."""

    __tablename__ = "device"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('kiosk', 'board')", name="kind"),
        sa.CheckConstraint("state IN ('pending', 'active', 'revoked')", name="state"),
        sa.Index("ix_device_code", "code", unique=True, sqlite_where=_CODED, postgresql_where=_CODED),
        sa.Index("ix_device_unit", "unit"),
    )

    id: str = Field(primary_key=True)
    kind: str
    state: str
    unit: str | None = None
    label: str | None = None
    secret_hash: str = Field(unique=True)
    code: str | None = None
    code_ends_at: datetime
    created_at: datetime
    enrolled_by: str | None = None
    enrolled_at: datetime | None = None
    revoked_at: datetime | None = None
    seen_at: datetime | None = None
    silent: bool
    build: str | None = None
    outbox: int | None = None
    lease_left: int | None = None


class DeviceToken(QueueModel, table=True):
    """A short token for the API; without a device it was given to a session that stands in for one."""

    __tablename__ = "device_token"
    __table_args__ = (sa.Index("ix_device_token_expires_at", "expires_at"),)

    hash: str = Field(primary_key=True)
    device: str | None = None
    sub: str
    role: str
    unit: str
    expires_at: datetime


class DeviceLine(QueueModel, table=True):
    """Which token a device speaks with: the end of the ``newest``, ``since`` when it has spoken; when two spoke at a
    time last. A row of its own: every beat asks for it, and few change it."""

    __tablename__ = "device_line"

    device: str = Field(primary_key=True)
    newest: datetime
    since: datetime
    twice_at: datetime | None = None
