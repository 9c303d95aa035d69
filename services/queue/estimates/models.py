"""Tables of the wait quotes."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from services.queue.base import QueueModel
from shared.db.types import JsonText


class QuoteModel(QueueModel, table=True):
    """The parameters of the quote from a moment on; versioned data, never constants in code."""

    __tablename__ = "quote_model"

    version: int = Field(primary_key=True)
    effective_from: datetime
    body: dict[str, Any] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
