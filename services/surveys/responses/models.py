"""Tables of responses (评价). What an answer means is kept beside it, so that scoring needs no questionnaire."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.surveys.base import Base


class Response(Base, table=True):
    """The one response to an invitation, with what its scores are counted by: the visit's unit and business day."""

    __tablename__ = "response"
    __table_args__ = (sa.Index("ix_response_unit_business_date", "unit", "business_date"),)

    invitation: str = Field(primary_key=True, foreign_key="invitation.id")
    unit: str
    business_date: date
    service: str
    ticket_class: str
    submitted_at: datetime


class ResponseAnswer(Base, table=True):
    """One answered item; what was not answered has no row and counts nowhere."""

    __tablename__ = "response_answer"
    __table_args__ = (sa.CheckConstraint("score BETWEEN scale_min AND scale_max", name="score"),)

    invitation: str = Field(primary_key=True, foreign_key="response.invitation")
    item: str = Field(primary_key=True)
    dimension: str
    score: int
    scale_min: int
    scale_max: int
