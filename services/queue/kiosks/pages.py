"""The kiosk (取号机): one page that holds every service and its materials, so that it works while it is cut off.

Scripts take numbers from the kiosk's own store and report them; without scripts each form issues its ticket at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from starlette.responses import JSONResponse, Response

from services.queue.auth import RunKiosk
from services.queue.kiosks import service
from services.queue.kiosks.qr import drawn
from services.queue.kiosks.views import sheet, tile
from services.queue.tickets import service as tickets
from services.queue.tickets.printing import minutes_to_expect, qr_text
from services.queue.tickets.schemas import TicketRequest
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.security.scopes import public
from shared.web.fields import LinkToken
from shared.web.i18n import N_
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.places import unit_name
from shared.web.render import Screen
from shared.web.scales import SATISFACTION
from shared.web.site import site

router = PageRouter(
    __name__,
    screens=(
        Screen(
            "/queue/kiosk",
            N_("Kiosk"),
            N_("Customers take a number; goes on without the network"),
            roles=frozenset({"kiosk"}),
            order=10,
        ),
    ),
)
SHELL = ("shared/css/", "shared/js/", "shared/img/", "shared/vendor/", "queue/kiosks/")


async def _place(request: Request, actor: RunKiosk) -> Mapping[str, str]:
    return await unit_name(request, actor.units[0])


Place = Annotated[Mapping[str, str], Depends(_place)]


@router.get("/queue/kiosk")
async def kiosk(reads: Reads, request: Request, actor: RunKiosk, place: Place, helped: bool = False) -> Page | SeeOther:
    """Choose a service, see what it needs, take a number. The address names language and type size, so that a worker
    finds the same page again without the network."""
    frame = site(request).frame(request)
    if not {"lang", "mode"} <= frame.query.keys():
        return SeeOther(frame.here(lang=frame.language, mode=frame.mode or "normal"))
    unit = await replica.branch(reads, actor, actor.units[0])
    waits = await service.waits(reads, unit)
    return Page(
        "kiosk.html",
        place=place,
        unit=unit,
        tiles=[tile(each) for each in waits],
        sheets=[sheet(each.service) for each in waits],
        helped=helped,
        satisfaction=SATISFACTION,
        prints=actor.client == "device",
        worker=site(request).renderer.assets.url("queue/kiosks/worker.js"),
    )


@router.post("/queue/kiosk/tickets")
async def take(
    uow: Uow, actor: RunKiosk, service_code: Annotated[str, Form(alias="service", max_length=64)]
) -> SeeOther:
    """A number at once, for a kiosk without scripts or without numbers of its own."""
    unit = await replica.branch(uow, actor, actor.units[0])
    issued = await tickets.issue(uow, unit, TicketRequest(service=service_code, channel="kiosk"), actor)
    return SeeOther(f"/queue/kiosk/t/{issued.token}")


@router.get("/queue/kiosk/t/{token}")
async def ticket(reads: Reads, request: Request, actor: RunKiosk, place: Place, token: LinkToken) -> Page:
    """The ticket that was just taken."""
    seen = await tickets.follow(reads, request.app.state.keyring.token_hash(token))
    unit = await replica.branch(reads, actor, seen.visit.unit)
    size, path = drawn(qr_text(request.app.state.settings.base_url, token))
    low, high = (None, None) if seen.quote is None else minutes_to_expect(seen.quote.p50, seen.quote.p80)
    shown: dict[str, Any] = {
        "number": seen.visit.number,
        "ahead": seen.ahead or 0,
        "low": low,
        "high": high,
        "issued_at": seen.visit.issued_at,
    }
    return Page("taken.html", place=place, unit=unit, ticket=shown, size=size, path=path)


@router.post("/queue/kiosk/help")
async def call_help(uow: Uow, actor: RunKiosk) -> SeeOther:
    """Call a person (找工作人员), for a kiosk without scripts."""
    unit = await replica.branch(uow, actor, actor.units[0])
    await service.ask_help(uow, unit, actor.sub)
    return SeeOther("/queue/kiosk?helped=true")


@router.get("/queue/kiosk/shell", dependencies=[public("names of public files, for the worker that keeps them")])
async def shell(request: Request) -> Response:
    """What the kiosk's worker keeps: the files of this build."""
    assets = site(request).renderer.assets
    files = [assets.url(name) for name in sorted(assets.names) if name.startswith(SHELL)]
    return JSONResponse({"build": assets.build, "files": files}, headers={"cache-control": "no-store"})
