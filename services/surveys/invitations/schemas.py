"""Invitations as they are shown (never personal data, never the name of a unit), and the rule for how they are made."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from services.surveys.invitations.rules import Delivery, InvitationStatus
from services.surveys.questionnaires.schemas import SurveyItem
from shared.web.fields import CodeField, Command


class AskedQuestionnaire(BaseModel):
    """The version of the questionnaire that this invitation asks."""

    code: str
    version: int
    items: list[SurveyItem]


class InvitationView(BaseModel):
    """What the holder of the link sees."""

    status: InvitationStatus
    expires_at: AwareDatetime
    questionnaire: AskedQuestionnaire


class TicketInvitation(InvitationView):
    """What the holder of a ticket sees; ``token`` is the link by which the visit is rated."""

    token: str


class Invitation(InvitationView):
    """What devices and staff see of a visit's invitation.

    ``token`` is given to those who carry the link to the customer (kiosk, app, integration), never to the staff who
    are rated; ``delivery`` says whether the customer left a contact or needs the slip.
    """

    id: str
    visit: str
    token: str | None
    invited_at: AwareDatetime
    delivery: Delivery


class InvitationRuleRequest(Command):
    """From ``effective_from`` on (now if not given), invitations stay open ``valid_days`` times 24 hours and ask the
    questionnaire ``questionnaire``, or, without one, whichever came into force last."""

    effective_from: AwareDatetime | None = Field(default=None, examples=["2026-04-01T00:00:00+08:00"])
    valid_days: Annotated[int, Field(strict=True, ge=1, le=366, examples=[7])]
    questionnaire: CodeField | None = None


class InvitationRuleView(BaseModel):
    """A rule; the one with the latest ``effective_from`` that is past is in force."""

    effective_from: AwareDatetime
    valid_days: int = Field(examples=[7])
    questionnaire: str | None
