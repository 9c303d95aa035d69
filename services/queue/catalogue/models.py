"""Tables of the catalogue."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel
from shared.db.types import JsonText


class Service(QueueModel, table=True):
    """A service as it now is; its earlier versions are in :class:`ServiceVersion`."""

    __tablename__ = "service"

    code: str = Field(primary_key=True)
    version: int
    name_zh: str
    name_en: str
    prefix: str = Field(unique=True)
    required_qualification: str | None = None
    expected_minutes: int
    materials: list[Any] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
    steps: list[Any] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
    updated_at: datetime


class ServiceVersion(QueueModel, table=True):
    """A version of a service as it was published, for ever."""

    __tablename__ = "service_version"

    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    effective_from: datetime
    body: dict[str, Any] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
    published_by: str


class BranchService(QueueModel, table=True):
    """A branch offers a service."""

    __tablename__ = "branch_service"

    unit: str = Field(primary_key=True)
    service: str = Field(primary_key=True)


class TicketClass(QueueModel, table=True):
    """A class of tickets from a moment on: its head start and the evidence it needs (普通、关爱、贵宾)."""

    __tablename__ = "ticket_class"
    __table_args__ = (sa.CheckConstraint("head_start_seconds BETWEEN 0 AND 7200", name="head_start"),)

    code: str = Field(primary_key=True)
    effective_from: datetime = Field(primary_key=True)
    head_start_seconds: int
    evidence: str
    name_zh: str
    name_en: str
