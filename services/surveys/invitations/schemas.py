"""Replies about invitations: never personal data, never the name of a unit."""

from pydantic import AwareDatetime, BaseModel

from services.surveys.invitations.rules import Delivery, InvitationStatus
from services.surveys.questionnaires.schemas import SurveyItem


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
