"""Tables of the facts: one row a subject, its newest state; all other tables of figures can be made from them."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from services.aggregator.base import AggregatorModel
from shared.db.types import Bytewise, JsonText


class FactVisit(AggregatorModel, table=True):
    """A visit (到访) as its newest event told it; ``sequence`` is that event's."""

    __tablename__ = "fact_visit"
    __table_args__ = (sa.Index("ix_fact_visit_day", "unit", "business_date"),)

    visit: str = Field(sa_column=sa.Column(Bytewise, primary_key=True))
    sequence: int = Field(sa_type=sa.BigInteger)
    unit: str
    business_date: date
    service: str
    ticket_class: str
    channel: str
    origin: str
    state: str
    issued_at: datetime
    called_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    left_at: datetime | None = None
    wait_seconds: int | None = None
    handling_seconds: int | None = None


class FactResponse(AggregatorModel, table=True):
    """An invitation and its answers (评价) as the newest event told them.

    ``answers`` is the snapshot ``[[item, dimension, score, scale_min, scale_max], …]``, never queried into.
    """

    __tablename__ = "fact_response"

    invitation: str = Field(sa_column=sa.Column(Bytewise, primary_key=True))
    sequence: int = Field(sa_type=sa.BigInteger)
    visit: str
    unit: str
    business_date: date
    service: str
    ticket_class: str
    questionnaire: str
    questionnaire_version: int
    invited_at: datetime
    responded_at: datetime | None = None
    answers: list[Any] = Field(sa_type=JsonText, sa_column_kwargs={"nullable": False})
