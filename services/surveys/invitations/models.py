"""Tables of invitations (评价邀请) and of the rule for how they are made."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.surveys.base import Base


class InvitationRule(Base, table=True):
    """Policy with an effective date: how long an invitation stays open, and which questionnaire it asks.

    ``questionnaire`` None means the one that came into force last, whatever its code.
    """

    __tablename__ = "invitation_rule"
    __table_args__ = (sa.CheckConstraint("valid_days BETWEEN 1 AND 366", name="valid_days"),)

    effective_from: datetime = Field(primary_key=True)
    valid_days: int
    questionnaire: str | None = None


class Invitation(Base, table=True):
    """The one invitation of a completed visit.

    ``invited_at`` and the questionnaire are None while none is in force (``waiting_questionnaire``). Of the link token
    only the hash is kept; of the customer's contact only that there is one.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        sa.CheckConstraint("state IN ('waiting_questionnaire', 'open', 'answered', 'expired')", name="state"),
        sa.CheckConstraint("delivery IN ('unknown', 'contact', 'slip')", name="delivery"),
        sa.Index("ix_invitation_state_expires_at", "state", "expires_at"),
        sa.Index("ix_invitation_delivery_contact_next_try", "delivery", "contact_next_try"),
    )

    id: str = Field(primary_key=True)
    visit: str = Field(unique=True)
    unit: str
    business_date: date
    service: str
    ticket_class: str
    window: str | None = None
    staff: str | None = None
    staff_external: str | None = None
    completed_at: datetime
    state: str
    reason: str | None = None
    token_hash: str = Field(unique=True)
    questionnaire: str | None = None
    questionnaire_version: int | None = None
    created_at: datetime
    invited_at: datetime | None = None
    expires_at: datetime
    answered_at: datetime | None = None
    delivery: str
    contact_tries: int
    contact_next_try: datetime
