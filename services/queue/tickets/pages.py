"""The ticket on the customer's phone (手机号票): opened by the code on the slip, without an app and without a name."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Path, Request

from services.queue.catalogue import queries as catalogue
from services.queue.tickets import queries, service
from services.queue.tickets.views import on_the_phone
from shared.contracts.queue import VisitStatus
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.security.scopes import public
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.places import unit_name
from shared.web.problems import IllegalTransition, NotFound

router = PageRouter(__name__)

Token = Annotated[str, Path(max_length=64)]
HOLDER = [public("the holder of the ticket's link")]
LAST = 3
"""Numbers called last that a phone shows."""


async def _place(request: Request, token: Token) -> Mapping[str, str]:
    """The branch's names for the page's head; a phone that asks again has them."""
    if "hx-request" in request.headers:
        return {}
    digest = request.app.state.keyring.token_hash(token)

    async def look(reads: Reads) -> str | None:
        row = await reads.one(queries.BY_TOKEN, token_hash=digest)
        return None if row is None else str(row.unit)

    unit = await request.app.state.services["queue"].db.read(look)
    return {} if unit is None else await unit_name(request, unit)


Place = Annotated[Mapping[str, str], Depends(_place)]


@router.get("/queue/t/{token}", dependencies=HOLDER)
async def ticket(reads: Reads, request: Request, token: Token, place: Place) -> Page:
    """Where the ticket stands."""
    return await _page(reads, request, token, "ticket.html", place)


@router.get("/queue/t/{token}/leave", dependencies=HOLDER)
async def ask_leave(reads: Reads, request: Request, token: Token, place: Place) -> Page:
    """Whether the customer really wants to leave the queue."""
    return await _page(reads, request, token, "leave.html", place)


@router.post("/queue/t/{token}/leave", dependencies=HOLDER)
async def leave(uow: Uow, request: Request, token: Token) -> SeeOther:
    """Leave the queue (取消排队); who was called to the window meanwhile sees that instead."""
    with suppress(IllegalTransition, NotFound):  # the ticket's page says how it stands
        await service.leave_by_link(uow, request.app.state.keyring.token_hash(token))
    return SeeOther(f"/queue/t/{token}")


async def _page(reads: Reads, request: Request, token: str, template: str, place: Mapping[str, str]) -> Page:
    try:
        seen = await service.follow(reads, request.app.state.keyring.token_hash(token))
    except NotFound:
        return Page("unknown.html", status=404)
    visit = seen.visit
    unit = await replica.unit(reads, visit.unit)
    today = visit.business_date >= unit.business_date(reads.now)
    last = []
    if today and visit.status in (VisitStatus.WAITING, VisitStatus.CALLED):
        last = await reads.all(queries.LAST_CALLED, unit=visit.unit, day=visit.business_date, most=LAST)
    view = on_the_phone(seen, await reads.one(catalogue.SERVICE, code=visit.service), last, today=today)
    return Page(
        template, etag=repr(view) if template == "ticket.html" else "", token=token, zone=unit.zone, place=place, **view
    )
