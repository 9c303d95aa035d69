"""Rules of invitations: states, how long one stays open, when to ask again for a contact."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)

NO_QUESTIONNAIRE = "no_questionnaire"
"""Why a visit is not invited: nothing was published that could be asked."""


class InvitationStatus(StrEnum):
    """An invitation's state (待问卷、待评价、已评价、已过期)."""

    WAITING = "waiting_questionnaire"
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"


class Delivery(StrEnum):
    """How the link reaches the customer: by a contact that queue keeps, or on the slip (小票)."""

    UNKNOWN = "unknown"
    CONTACT = "contact"
    SLIP = "slip"


def expiry(begins: datetime, valid_days: int) -> datetime:
    """The last instant at which the invitation may be answered: ``valid_days`` times 24 hours later, inclusive."""
    return begins + timedelta(days=valid_days)


def state_at(state: str, expires_at: datetime, at: datetime) -> InvitationStatus:
    """The state a caller sees: an open invitation past its last instant is expired, also before the loop says so."""
    if state in (InvitationStatus.OPEN, InvitationStatus.WAITING) and at > expires_at:
        return InvitationStatus.EXPIRED
    return InvitationStatus(state)


def retry_after(tries: int) -> timedelta:
    """How long to wait after the ``tries``-th failure (1, 2, …): doubling from 5 seconds to an hour."""
    return min(FIRST_RETRY * 2 ** min(max(tries, 1) - 1, 16), LONGEST_RETRY)


def delivery_of(answer: Any) -> Delivery:
    """What the owner's answer means; a visit it knows no contact of gets the slip."""
    return Delivery.CONTACT if answer is not None and answer.get("left") is True else Delivery.SLIP
