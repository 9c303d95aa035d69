"""The teller's desk: every act is the API's use case, every reply leads back to the desk as it now stands."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Query, Request

from services.queue.auth import RunWindow, ServeVisits
from services.queue.catalogue import queries as catalogue
from services.queue.desk import views
from services.queue.desk.service import look, own_unit
from services.queue.tickets import service as tickets
from services.queue.tickets.rules import allowed
from services.queue.windows import queries as window_queries
from services.queue.windows import service as windows
from services.queue.windows.schemas import OpenWindow
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.fields import CodeField, PathId, UnitId
from shared.web.forms import FormVersion, if_match
from shared.web.i18n import N_
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.places import Names, names_of
from shared.web.render import Screen

DESK = "/queue/desk"
router = PageRouter(
    __name__,
    screens=(
        Screen(
            DESK,
            N_("Teller desk"),
            N_("Open a window, call the next customer, serve"),
            roles=frozenset({"teller", "branch_manager"}),
            order=20,
        ),
    ),
)


async def _names(request: Request, actor: RunWindow, unit: Annotated[CodeField | None, Query()] = None) -> Names:
    async def where(reads: Reads) -> str:
        running = await reads.one(window_queries.RUN_BY, staff=windows.staff_of(actor))
        return running.unit if running is not None else unit or own_unit(actor)

    return await names_of(request, await request.app.state.services["queue"].db.read(where))


@router.get(DESK)
async def desk(
    reads: Reads,
    actor: RunWindow,
    names: Annotated[Names, Depends(_names)],
    unit: Annotated[CodeField | None, Query()] = None,
    said: Annotated[str, Query(max_length=16)] = "",
    part: Literal["main", "floor"] = "main",
) -> Page:
    """The desk of whoever looks (柜员工作台): their window, its customer, who comes next."""
    staff = windows.staff_of(actor)
    running = await reads.one(window_queries.RUN_BY, staff=staff)
    branch = await replica.branch(reads, actor, running.unit if running is not None else unit or own_unit(actor))
    floor = await look(reads, branch)
    mine = next((row for row in floor["windows"] if running is not None and row.no == running.no), None)
    served = floor["served"].get(mine.no, set()) if mine is not None else set()
    view: dict[str, Any] = {
        "names": names,
        "mine": mine,
        "mine_services": [service for code, service in floor["services"].items() if code in served],
        "customer": await _customer(reads, mine, floor),
        "next": views.upcoming(floor["queue"], floor["services"], floor["classes"], served),
        "for_me": sum(1 for row in floor["queue"] if row.service in served),
        "may": await _may(reads, staff, branch, floor) if mine is None else [],
        "nobody": said == "nobody",
    }
    return Page("desk.html", block=part, **floor, **view)


async def _customer(reads: Reads, mine: Row | None, floor: dict[str, Any]) -> dict[str, Any] | None:
    if mine is None or mine.visit is None:
        return None
    visit = await tickets.visit_in(reads, mine.visit)
    service = floor["services"].get(visit.service) or await reads.one(catalogue.SERVICE, code=visit.service)
    return {
        "visit": visit,
        "service": service,
        "ticket_class": floor["classes"].get(visit.ticket_class),
        "allowed": allowed(visit.status),
    }


async def _may(reads: Reads, staff: str, branch: Any, floor: dict[str, Any]) -> list[tuple[Any, bool]]:
    """The branch's services, each with whether the person may serve it now."""
    required = {code: row.required_qualification for code, row in floor["services"].items()}
    lacking = await windows.not_qualified_for(reads, branch, staff, required)
    return [(row, code not in lacking) for code, row in floor["services"].items()]


@router.post(DESK + "/{unit}/open")
async def open_window(
    uow: Uow,
    actor: RunWindow,
    unit: UnitId,
    no: Annotated[CodeField, Form()],
    services: Annotated[list[CodeField] | None, Form(max_length=60)] = None,
) -> SeeOther:
    """Open a window (开窗)."""
    branch = await replica.branch(uow, actor, unit)
    await windows.open_window(uow, branch, no, windows.staff_of(actor), OpenWindow(services=services or None))
    return SeeOther(DESK)


@router.post(DESK + "/{unit}/windows/{no}/call-next")
async def call_next(uow: Uow, actor: RunWindow, unit: UnitId, no: PathId) -> SeeOther:
    """Call the next customer (叫号)."""
    branch = await replica.branch(uow, actor, unit)
    called = await tickets.call_next(uow, branch, no, actor)
    return SeeOther(DESK + "#customer" if called is not None else DESK + "?said=nobody")


@router.post(DESK + "/{unit}/windows/{no}/{act}")
async def move_window(
    uow: Uow, actor: RunWindow, unit: UnitId, no: PathId, act: Literal["break", "resume", "close"]
) -> SeeOther:
    """Break, resume or close (暂停、恢复、关窗)."""
    branch = await replica.branch(uow, actor, unit)
    await windows.move(uow, actor, branch, no, act)
    return SeeOther(DESK)


@router.post(DESK + "/visits/{visit}/{verb}")
async def act_on_visit(
    uow: Uow,
    actor: ServeVisits,
    visit: PathId,
    verb: Literal["recall", "start", "finish", "no-show"],
    version: FormVersion = None,
) -> SeeOther:
    """Call again, start, finish, or nobody came (重呼、开始办理、办结、过号)."""
    row = await tickets.visit_in(uow, visit, lock=True)
    await replica.branch(uow, actor, row.unit)
    await tickets.act(uow, actor, row, verb, if_match(version))
    return SeeOther(DESK + "#customer")
