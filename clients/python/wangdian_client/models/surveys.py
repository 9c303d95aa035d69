"""Invitations, questionnaires and responses (邀请、问卷、评价)."""

from typing import Any, NotRequired, TypedDict

from wangdian_client.models.queue import Names


class Invitation(TypedDict):
    """The invitation that a completed visit caused; whoever holds `token` may answer once."""

    id: str
    token: str
    visit: str
    status: str


class Item(TypedDict):
    """A question (题目) of one dimension: quality, efficiency or attitude."""

    code: str
    dimension: str
    texts: Names
    scale_min: int
    scale_max: int
    required: bool


class Questionnaire(TypedDict):
    """A version of a questionnaire (问卷)."""

    code: str
    version: int
    items: list[Item]


class InvitationView(TypedDict):
    """What the holder of a survey token sees."""

    status: str
    questionnaire: Questionnaire


class Response(TypedDict, total=False):
    """A response (评价) as stored."""

    id: str
    status: str
    answers: dict[str, int]
    scores: NotRequired[dict[str, Any]]
