"""Imports and the lines they refused."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.queue.base import QueueModel
from shared.db.types import JsonText

_UNFINISHED = sa.text("status IN ('queued', 'running')")


class ImportRun(QueueModel, table=True):
    """One uploaded file on its way into the visits (导入批次).

    ``lines`` is also where a restart goes on: records ``1..lines`` are kept with all their effects. ``created_at`` is
    the clock by which a line is "in the future", the same after a restart. The file's name is not kept: it may hold
    personal data. ``failure`` says why it failed, or why a damaged file could not be read to its end.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        sa.CheckConstraint("status IN ('queued', 'running', 'completed', 'failed')", name="status"),
        sa.CheckConstraint("accepted + rejected = lines AND unchanged <= accepted", name="accounts"),
        sa.Index("ix_import_run_unfinished", "id", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    )

    id: str = Field(primary_key=True)
    unit: str = Field(index=True)
    format: str
    sha256: str
    size: int = Field(sa_type=sa.BigInteger)
    status: str
    failure: str | None = None
    lines: int = Field(sa_type=sa.BigInteger)
    accepted: int = Field(sa_type=sa.BigInteger)
    rejected: int = Field(sa_type=sa.BigInteger)
    unchanged: int = Field(sa_type=sa.BigInteger)
    rejected_by_code: dict[str, int] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    version: int


class ImportReject(QueueModel, table=True):
    """A line that is not a visit: its physical number, the first wrong field and why; nothing of its content."""

    __tablename__ = "import_reject"

    run: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True, sa_type=sa.BigInteger)
    field: str
    code: str
