"""The survey of a visit on the customer's phone (评价): behind the invitation's link, sent once, without a name."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from services.surveys.invitations import rules as invitations
from services.surveys.invitations import service as links
from services.surveys.invitations import tickets
from services.surveys.invitations.errors import (
    AlreadyAnswered,
    InvitationExpired,
    InvitationNotReady,
    NotServedYet,
    TakenByStaff,
)
from services.surveys.invitations.links import token_of
from services.surveys.invitations.tickets import TicketLink
from services.surveys.questionnaires import queries as questionnaires
from services.surveys.responses import service
from services.surveys.responses.rules import faults_of
from services.surveys.responses.views import given, question
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.security.scopes import public
from shared.web.fields import LINK
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.places import unit_name
from shared.web.problems import IllegalTransition, NotFound

router = PageRouter(__name__)

Token = Annotated[str, Path(max_length=64)]
HOLDER = [public("the link is the customer's only key, and answers once")]


async def _place(request: Request, token: Token) -> Mapping[str, str]:
    """The names of the branch that is asked about."""

    async def look(reads: Reads) -> str | None:
        try:
            return str((await _row(reads, request, token)).unit)
        except NotFound:
            return None

    unit = await request.app.state.services["surveys"].db.read(look)
    return {} if unit is None else await unit_name(request, unit)


Place = Annotated[Mapping[str, str], Depends(_place)]


async def _ticket(request: Request, token: Token) -> TicketLink | None:
    return await tickets.ask(request, token) if re.fullmatch(LINK, token) else None


@router.get(
    "/surveys/t/{token}", dependencies=[public("the holder of the ticket's link is led to the survey of the visit")]
)
async def by_ticket(
    reads: Reads, request: Request, token: Token, ticket: Annotated[TicketLink | None, Depends(_ticket)]
) -> Page | SeeOther:
    """From the ticket on the phone to the survey of its visit, or why there is none (yet)."""
    try:
        row = await tickets.invitation_of(reads, ticket)
    except NotFound:
        return Page("closed.html", status=404, why="unknown")
    except (TakenByStaff, NotServedYet, InvitationNotReady) as refused:
        return Page("closed.html", status=refused.status, why=refused.code, headers=refused.headers)
    return SeeOther(f"/surveys/a/{token_of(request.app.state.keyring, row.id)}")


@router.get("/surveys/a/{token}", dependencies=HOLDER)
async def survey(reads: Reads, request: Request, token: Token, place: Place, sent: bool = False) -> Page:
    """The questions, or why there is nothing to answer any more; ``sent``: the customer has just answered."""
    try:
        row = await _row(reads, request, token)
    except NotFound:
        return Page("closed.html", status=404, why="unknown")
    state = invitations.state_at(row.state, row.expires_at, reads.now)
    if state is invitations.InvitationStatus.ANSWERED:
        return Page("closed.html", why="thanks" if sent else "answered")
    if state is not invitations.InvitationStatus.OPEN:
        return Page("closed.html", why="expired")
    return _asked(token, place, await _items(reads, row), {}, [])


@router.post("/surveys/a/{token}", dependencies=HOLDER)
async def send(uow: Uow, request: Request, token: Token, place: Place) -> Page | SeeOther:
    """Send the answers: an unfit form comes back with what was chosen and what is missing."""
    try:
        row = await _row(uow, request, token)
    except NotFound:
        return Page("closed.html", status=404, why="unknown")
    items = await _items(uow, row)
    answers, torn = given(await request.form(), [item.item for item in items])
    faults = faults_of(items, answers)
    state = invitations.state_at(row.state, row.expires_at, uow.now)
    if state is invitations.InvitationStatus.OPEN and (faults or torn):
        wrong = [fault.pointer.rpartition("/")[2] for fault in faults] + torn
        return _asked(token, place, items, answers, wrong, status=422)
    try:
        await service.submit(uow, row.token_hash, answers)
    except AlreadyAnswered:
        return Page("closed.html", status=409, why="answered")
    except (InvitationExpired, IllegalTransition):
        return Page("closed.html", status=410, why="expired")
    return SeeOther(f"/surveys/a/{token}?sent=true")


async def _row(reads: Reads, request: Request, token: str) -> Row:
    return await links.by_token_hash(reads, request.app.state.keyring.token_hash(token))


async def _items(reads: Reads, row: Row) -> list[Row]:
    return await reads.all(questionnaires.ITEMS, code=row.questionnaire, version=row.questionnaire_version)


def _asked(
    token: str,
    place: Mapping[str, str],
    items: list[Row],
    answers: dict[str, int],
    wrong: list[str],
    status: int = 200,
) -> Page:
    questions: list[dict[str, Any]] = [question(item, answers.get(item.item), item.item in wrong) for item in items]
    return Page("survey.html", status=status, token=token, place=place, questions=questions, wrong=wrong)
