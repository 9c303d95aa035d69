"""Routes of tickets and visits."""

from datetime import UTC, datetime

from fastapi import Request

from services.queue.auth import (
    AskContact,
    FollowTickets,
    IssueTickets,
    LeaveQueue,
    ReadHall,
    ReadVisits,
    RunWindow,
    ServeVisits,
)
from services.queue.tickets import queries, service
from services.queue.tickets.printing import lines, qr_text
from services.queue.tickets.schemas import (
    ContactLeft,
    Ticket,
    TicketRequest,
    TicketStatus,
    TicketVisit,
    VisitView,
    WaitingView,
)
from services.queue.tickets.views import shown, waiting
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.business_day import business_date
from shared.security.principal import Principal
from shared.security.scopes import public
from shared.web.etags import IfMatch, etag
from shared.web.fields import LinkToken, PathId, Purpose, UnitId
from shared.web.paging import Page, Paging, page
from shared.web.problems import InvalidField
from shared.web.routing import ServiceRouter

router = ServiceRouter("queue", "tickets")


@router.post("/branches/{unit}/tickets", status_code=201)
async def issue_ticket(uow: Uow, actor: IssueTickets, request: Request, unit: UnitId, command: TicketRequest) -> Ticket:
    """Issue a ticket (取号): number, people ahead, wait quote, slip and link."""
    branch = await replica.branch(uow, actor, unit)
    issued = await service.issue(uow, branch, command, actor)
    visit = issued.visit
    uow.headers["Location"] = f"/queue/v1/visits/{visit['id']}"
    uow.headers["ETag"] = etag(1)
    return Ticket(
        **{
            name: visit[name]
            for name in ("id", "number", "status", "unit", "business_date", "service", "ticket_class", "issued_at")
        },
        ahead=issued.ahead,
        quote=issued.quote,
        token=issued.token,
        print=lines(
            number=visit["number"],
            name_zh=issued.catalogue.name_zh,
            name_en=issued.catalogue.name_en,
            ahead=issued.ahead,
            quote=issued.quote,
            issued_at=visit["issued_at"],
            zone=branch.zone,
        ),
        qr=qr_text(request.app.state.settings.base_url, issued.token),
    )


@router.get("/branches/{unit}/waiting")
async def list_waiting(reads: Reads, actor: ReadHall, unit: UnitId, paging: Paging) -> Page[WaitingView]:
    """Who waits today, in the order of calling."""
    branch = await replica.branch(reads, actor, unit)
    at, _, after = paging.after.partition(" ")
    try:
        start = datetime.fromisoformat(at) if at else datetime(1970, 1, 1, tzinfo=UTC)
        start.utcoffset() or start.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidField("/query/cursor", "invalid_cursor", "The cursor is not one of ours", "游标无效") from None
    rows = await reads.all(
        queries.WAITING,
        unit=unit,
        day=business_date(reads.now, branch.zone, branch.cutoff),
        after_at=start if start.tzinfo else start.replace(tzinfo=UTC),
        after_id=after,
        most=paging.fetch,
    )
    return Page[WaitingView](**page(paging, rows, lambda row: f"{row.order_at.isoformat()} {row.id}", waiting))


@router.post("/branches/{unit}/windows/{no}/call-next")
async def call_next(uow: Uow, actor: RunWindow, unit: UnitId, no: PathId) -> VisitView | None:
    """Call the next customer to the window (叫号); 204 when nobody waits for what it serves."""
    branch = await replica.branch(uow, actor, unit)
    row = await service.call_next(uow, branch, no, actor)
    return None if row is None else _shown(uow, row)


@router.get("/visits/{visit}")
async def get_visit(reads: Reads, actor: ReadVisits, visit: PathId) -> VisitView:
    """A visit as it stands."""
    row = await service.visit_in(reads, visit)
    await replica.branch(reads, actor, row.unit)
    return _shown(reads, row)


@router.post("/visits/{visit}/recall")
async def recall_visit(uow: Uow, actor: ServeVisits, visit: PathId, if_match: IfMatch = None) -> VisitView:
    """Call again (重呼)."""
    return await _act(uow, actor, visit, "recall", if_match)


@router.post("/visits/{visit}/start")
async def start_visit(uow: Uow, actor: ServeVisits, visit: PathId, if_match: IfMatch = None) -> VisitView:
    """The customer is at the window: the service begins (开始办理)."""
    return await _act(uow, actor, visit, "start", if_match)


@router.post("/visits/{visit}/finish")
async def finish_visit(uow: Uow, actor: ServeVisits, visit: PathId, if_match: IfMatch = None) -> VisitView:
    """The service is done (办结)."""
    return await _act(uow, actor, visit, "finish", if_match)


@router.post("/visits/{visit}/no-show")
async def miss_visit(uow: Uow, actor: ServeVisits, visit: PathId, if_match: IfMatch = None) -> VisitView:
    """The customer was called and did not come (过号)."""
    return await _act(uow, actor, visit, "no-show", if_match)


@router.post("/visits/{visit}/leave")
async def leave_visit(uow: Uow, actor: LeaveQueue, visit: PathId, if_match: IfMatch = None) -> VisitView:
    """The customer leaves without being served (离开)."""
    return await _act(uow, actor, visit, "leave", if_match)


async def _act(uow: Uow, actor: Principal, visit: str, verb: str, if_match: str | None) -> VisitView:
    row = await service.visit_in(uow, visit, lock=True)
    await replica.branch(uow, actor, row.unit)
    return _shown(uow, await service.act(uow, actor, row, verb, if_match))


def _shown(reads: Reads, row: Row) -> VisitView:
    reads.headers["ETag"] = etag(row.version)
    return shown(row)


@router.get("/t/{token}", dependencies=[public("the holder of the ticket's link")])
async def follow_ticket(reads: Reads, request: Request, token: LinkToken) -> TicketStatus:
    """What a ticket's holder sees by its link: place, wait, window; no personal data."""
    seen = await service.follow(reads, request.app.state.keyring.token_hash(token))
    row = seen.visit
    return TicketStatus(
        number=row.number,
        status=row.status,
        service=row.service,
        window=row.window,
        ahead=seen.ahead,
        quote=seen.quote,
        next_poll_s=seen.next_poll_s,
    )


@router.get("/t/{token}/visit")
async def visit_of_ticket(reads: Reads, request: Request, actor: FollowTickets, token: LinkToken) -> TicketVisit:
    """Which visit a ticket's link stands for; asked by services to which the customer showed it."""
    row = await service.by_link(reads, request.app.state.keyring.token_hash(token))
    return TicketVisit(visit=row.id, status=row.status, channel=row.channel)


@router.get("/visits/{visit}/contact")
async def contact_left(uow: Uow, actor: AskContact, visit: PathId, x_purpose: Purpose) -> ContactLeft:
    """Whether the customer left a contact; asked by services with a purpose, which is recorded."""
    row = await service.visit_in(uow, visit)
    await uow.audit("contact.asked", object_type="visit", object_id=visit, unit=row.unit, purpose=x_purpose)
    return ContactLeft(left=row.contact is not None)
