"""Events of the surveys service: invitations (评价邀请) and responses (评价)."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.base import Code, Contract, Day, EventData, Ref, Time


class Dimension(StrEnum):
    """What an item asks about (服务质量、效率、态度、便利、专业)."""

    QUALITY = "quality"
    EFFICIENCY = "efficiency"
    ATTITUDE = "attitude"
    CONVENIENCE = "convenience"
    PROFESSIONALISM = "professionalism"


class Answer(Contract):
    """One answered item; its text is in the questionnaire's version."""

    item: Code
    dimension: Dimension
    score: int
    scale_min: int
    scale_max: int


class InvitationState(EventData):
    """The invitation with its answers as far as there are any: one root, told whole each time.

    ``business_date``, ``service`` and ``ticket_class`` are the visit's, so that a late answer corrects its own day.
    """

    topic: ClassVar[str] = "surveys.events"

    invitation: Ref
    visit: Ref
    unit: Ref
    business_date: Day
    service: Code
    ticket_class: Code
    questionnaire: Code
    questionnaire_version: int
    invited_at: Time
    responded_at: Time | None = None
    answers: tuple[Answer, ...] = ()


class InvitationSent(InvitationState):
    """A customer was invited to rate a completed visit."""

    event_type: ClassVar[str] = "surveys.invitation.sent.v1"


class ResponseSubmitted(InvitationState):
    """The customer answered."""

    event_type: ClassVar[str] = "surveys.response.submitted.v1"
