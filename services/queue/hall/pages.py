"""The hall page: the API's reads put together, and its override."""

from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request

from services.queue.auth import AnswerHelp, Override, ReadHall
from services.queue.desk.service import look, own_unit
from services.queue.devices import queries as devices
from services.queue.hall import queries
from services.queue.hall.views import machines, named
from services.queue.kiosks import service as kiosks
from services.queue.tickets import service as tickets
from services.queue.tickets.printing import minutes_to_expect
from services.queue.windows import service as windows
from services.queue.windows.schemas import OverrideRequest
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.fields import CodeField, PathId, Text, UnitId
from shared.web.i18n import N_
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.places import Names, names_of
from shared.web.render import Screen
from shared.web.site import site

HALL = "/queue/hall"
ROLES = frozenset({"branch_manager"})
NEWEST = "~"
"""Sorts after every id: a ticket taken now is behind everybody."""
router = PageRouter(
    __name__,
    screens=(Screen(HALL, N_("Hall"), N_("Queue, windows and people of a branch, as they are now"), ROLES, order=30),),
)


async def _names(request: Request, actor: ReadHall, unit: Annotated[CodeField | None, Query()] = None) -> Names:
    return await names_of(request, unit or own_unit(actor))


@router.get(HALL)
async def hall(
    reads: Reads,
    request: Request,
    actor: ReadHall,
    names: Annotated[Names, Depends(_names)],
    unit: Annotated[CodeField | None, Query()] = None,
    said: str = "",
    part: str = "main",
) -> Page:
    """A branch's hall as it is (大堂)."""
    branch = await replica.branch(reads, actor, unit or own_unit(actor))
    floor = await look(reads, branch)
    needed = {row.required_qualification or "" for row in floor["services"].values()}
    manages = not actor.roles.isdisjoint({"branch_manager", "head_office"})
    tellers = await reads.all(queries.TELLERS, unit=branch.id) if manages else []
    known = await reads.all(devices.OF_UNIT, unit=branch.id, after="", most=200)
    return Page(
        "hall.html",
        block="now" if part == "now" else "main",
        **floor,
        names=names,
        helps=await kiosks.help_calls(reads, branch),
        at_kiosk=named(known),
        machines=machines(known, site(request).renderer.assets.build),
        overrides=await reads.all(queries.OVERRIDES, unit=branch.id, day=branch.business_date(reads.now)),
        answers=not actor.roles.isdisjoint({"teller", "branch_manager"}),
        quotes=await _quotes(reads, branch, floor),
        longest=min((row.issued_at for row in floor["queue"]), default=None),
        late=sum(line.late for line in floor["lines"]),
        manages=manages,
        tellers=[(row.person, f"{row.person} {names.people.get(row.person, '')}".strip()) for row in tellers],
        certificates=[(code, code) for code in sorted(needed) if code],
        said=said,
    )


async def _quotes(reads: Reads, branch: Any, floor: dict[str, Any]) -> dict[str, Any]:
    """Minutes that somebody who takes a ticket now is told, by service; what is offered no more is asked one by one."""
    found = {}
    for wait in await kiosks.waits(reads, branch, 0):
        found[wait.service.code] = minutes_to_expect(*(wait.quotes[0] if wait.quotes else (None, None)))
    day = branch.business_date(reads.now)
    for code in floor["services"].keys() - found.keys():
        _, quote = await tickets.place(reads, branch.id, day, code, reads.now, NEWEST)
        found[code] = minutes_to_expect(quote.p50, quote.p80)
    return found


@router.post(HALL + "/{unit}/overrides")
async def override(
    uow: Uow,
    actor: Override,
    unit: UnitId,
    staff: Annotated[CodeField, Form()],
    qualification: Annotated[CodeField, Form()],
    reason: Annotated[Text, Form()],
) -> SeeOther:
    """Let a teller work without a qualification until the end of the day (当日放行)."""
    branch = await replica.branch(uow, actor, unit)
    await windows.grant_override(
        uow, branch, actor, OverrideRequest(staff=staff, qualification=qualification, reason=reason)
    )
    return SeeOther(f"{HALL}?unit={unit}&said=granted#override")


@router.post(HALL + "/help/{call}/answer")
async def answer(uow: Uow, actor: AnswerHelp, call: PathId) -> SeeOther:
    """Somebody goes to the customer at the kiosk (应答求助); a call answered before stays whose it was."""
    row = await kiosks.help_call(uow, call)
    await replica.branch(uow, actor, row.unit)
    await kiosks.answer_help(uow, call, actor)
    return SeeOther(f"{HALL}?unit={row.unit}")
