"""Use cases of tickets: issue, call next, and what may happen to a visit."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.queue.catalogue.service import to_issue
from services.queue.estimates.service import quote_for
from services.queue.tickets import queries
from services.queue.tickets.errors import WindowNotOpen
from services.queue.tickets.rules import MOVES, allowed, channel_of, lasted, next_poll, ticket_number
from services.queue.tickets.schemas import Quote, TicketRequest
from services.queue.tickets.views import told
from services.queue.windows import queries as window_queries
from services.queue.windows.errors import WindowBusy
from services.queue.windows.rules import WindowState
from services.queue.windows.rules import allowed as window_allowed
from services.queue.windows.service import check_runs, locked
from shared.contracts.queue import (
    VisitAbandoned,
    VisitCalled,
    VisitCompleted,
    VisitNoShow,
    VisitOpened,
    VisitStarted,
    VisitState,
    VisitStatus,
)
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.business_day import business_date
from shared.ids import uuid7
from shared.security.principal import Principal
from shared.web import feed
from shared.web.etags import check_version
from shared.web.problems import IllegalTransition, InvalidField, NotFound

TOKEN = "ticket"  # nosec B105 # noqa: S105 - the purpose a link token is derived for
_EVENTS: dict[str, type[VisitState]] = {
    "recall": VisitCalled,
    "start": VisitStarted,
    "finish": VisitCompleted,
    "no-show": VisitNoShow,
    "leave": VisitAbandoned,
}
UnitRow = Any


class Issued(NamedTuple):
    """A new ticket with what its holder is told."""

    visit: dict[str, Any]
    catalogue: Row
    ahead: int
    quote: Quote
    token: str


async def issue(uow: Uow, unit: UnitRow, command: TicketRequest, by: Principal) -> Issued:
    """Issue a ticket: one visit begins.

    INVARIANT: numbers are unique per branch, business date and prefix, and without gaps but for those that kiosks have
    borrowed, as the counter's row is locked until the visit is kept
    (tests/queue/tickets/test_api.py::test_parallel_tickets_have_gapless_numbers).
    """
    replica.require_in_force(unit, uow.now)
    channel = channel_of(by.roles, command.channel)
    if channel is None:
        raise InvalidField(
            "/channel", "not_yours", "Staff take tickets as staff or phone", "工作人员取号的渠道只能是 staff 或 phone"
        )
    catalogue = await to_issue(uow, unit.id, command.service, command.ticket_class)
    day = business_date(uow.now, unit.zone, unit.cutoff)
    order_at = uow.now - timedelta(seconds=catalogue.head_start_seconds)
    visit_id = uuid7()
    ahead, quote = await place(uow, unit.id, day, command.service, order_at, visit_id)
    count = await uow.scalar(queries.NEXT_NUMBER, unit=unit.id, business_date=day, prefix=catalogue.prefix, last=1)
    token = uow.records.link_token(TOKEN, visit_id)
    row = new_visit(
        id=visit_id,
        unit=unit.id,
        business_date=day,
        number=ticket_number(catalogue.prefix, count),
        service=command.service,
        ticket_class=command.ticket_class,
        channel=channel.value,
        issued_at=uow.now,
        order_at=order_at,
        quote_p50=quote.p50,
        quote_p80=quote.p80,
        token_hash=uow.records.token_hash(token),
        contact=await _sealed_contact(uow, visit_id, command),
    )
    await uow.write(queries.ADD, **row)
    await uow.emit(opened(row), subject=visit_id, first=True)
    await feed.tell(uow, unit.id, "ticket")
    return Issued(row, catalogue, ahead, quote, token)


def new_visit(**known: Any) -> dict[str, Any]:
    """The row of a visit that begins: it waits, and nothing has happened to it yet."""
    return known | {
        "status": VisitStatus.WAITING.value,
        "origin": "live",
        "called_at": None,
        "started_at": None,
        "finished_at": None,
        "left_at": None,
        "end_cause": None,
        "wait_seconds": None,
        "handling_seconds": None,
        "calls": 0,
        "window": None,
        "staff": None,
        "staff_external": None,
        "content": None,
        "version": 1,
    }


def opened(row: dict[str, Any]) -> VisitState:
    """The event of a visit that begins."""
    return told(VisitOpened, _Attributes(row))


class Followed(NamedTuple):
    """What a ticket's holder sees by its link."""

    visit: Row
    ahead: int | None
    quote: Quote | None
    next_poll_s: int | None


async def by_link(reads: Reads, token_hash: str) -> Row:
    """The visit behind a ticket's link, or 404."""
    row = await reads.one(queries.BY_TOKEN, token_hash=token_hash)
    if row is None:
        raise NotFound
    return row


async def follow(reads: Reads, token_hash: str) -> Followed:
    """The ticket behind a link as it stands, or 404."""
    row = await by_link(reads, token_hash)
    ahead = quote = None
    if row.status == VisitStatus.WAITING:
        ahead, quote = await place(reads, row.unit, row.business_date, row.service, row.order_at, row.id)
    return Followed(row, ahead, quote, next_poll(row.status, ahead))


async def leave_by_link(uow: Uow, token_hash: str) -> None:
    """The holder of the link leaves the queue; 404 for an unknown link, 409 when it is too late for that."""
    found = await by_link(uow, token_hash)
    holder = Principal(f"link:{token_hash}", None, frozenset(), ())
    await act(uow, holder, await visit_in(uow, found.id, lock=True), "leave", None)


class _Attributes:
    """A mapping read like a row."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values


async def _sealed_contact(uow: Uow, visit_id: str, command: TicketRequest) -> str | None:
    if command.contact is None:
        return None
    return await uow.seal("visit", visit_id, "contact", command.contact.phone)


async def place(reads: Reads, unit: str, day: Any, service: str, order_at: datetime, own: str) -> tuple[int, Quote]:
    """How many are served before a ticket of this order, and the wait to expect."""
    hall: Row = await reads.one(queries.AHEAD, unit=unit, service=service, day=day, order_at=order_at, own=own)
    wait = await quote_for(reads, ahead=hall.ahead, servers=hall.servers, idle=hall.idle)
    if wait.p50 is None or wait.p80 is None:
        return hall.ahead, Quote(p50=None, p80=None, reason=wait.reason)
    return hall.ahead, Quote(p50=round(wait.p50), p80=round(wait.p80))


async def call_next(uow: Uow, unit: UnitRow, no: str, principal: Principal) -> Row | None:
    """Call the first who waits for what the window serves; None when nobody does.

    The order is issue time less head start. The hall's row is locked first, so two windows choose one after the other
    and never the same visit.

    INVARIANT: no visit is called by two windows, and calls follow the order
    (tests/queue/tickets/test_api.py::test_call_next_storm_calls_each_once_in_order).
    """
    row = await locked(uow, unit.id, no)
    check_runs(principal, row)
    if row.state != WindowState.OPEN:
        raise WindowNotOpen(state=row.state, allowed=sorted(window_allowed(row.state)))
    if row.visit is not None:
        raise WindowBusy(visit=row.visit)
    await uow.scalar(window_queries.LOCK_HALL, unit=unit.id)
    day = business_date(uow.now, unit.zone, unit.cutoff)
    called: Row | None = None
    # A customer may leave between choosing and calling on PostgreSQL: choose again.
    while called is None:
        first = await uow.one(queries.NEXT, unit=unit.id, no=no, day=day)
        if first is None:
            return None
        wait = lasted(first.issued_at, uow.now)
        called = await uow.one(queries.CALL, visit=first.id, no=no, at=uow.now, wait=wait, new_staff=row.staff)
    await uow.write(window_queries.TAKE, unit=unit.id, no=no, new_visit=called.id)
    await uow.emit(told(VisitCalled, called), subject=called.id)
    await _announce(uow, called)
    return called


async def _announce(uow: Uow, row: Row) -> None:
    """Tell the boards, which show and speak it: they cannot ask while they are cut off."""
    await feed.tell(
        uow, row.unit, "call", visit=row.id, number=row.number, window=row.window, service=row.service, calls=row.calls
    )


async def visit_in(reads: Reads, visit_id: str, *, lock: bool = False) -> Row:
    """The visit, or 404."""
    row = await reads.one(queries.VISIT_LOCKED if lock else queries.VISIT, visit=visit_id)
    if row is None:
        raise NotFound(pointer="/path/visit")
    return row


async def act(uow: Uow, principal: Principal, row: Row, verb: str, if_match: str | None) -> Row:
    """Recall, start, finish, no-show or leave: the visit's own moves. ``row`` is locked."""
    check_version(if_match, row.version)
    before, after = MOVES[verb]
    if row.status not in before:
        raise IllegalTransition(state=row.status, allowed=allowed(row.status))
    if row.window is not None and verb != "leave":
        check_runs(principal, await locked(uow, row.unit, row.window))
    cause = None
    if after is VisitStatus.LEFT:
        cause = "staff" if principal.roles & {"teller", "branch_manager"} else "customer"
    return await _moved(uow, row, verb, after, cause)


async def _moved(uow: Uow, row: Row, verb: str, after: VisitStatus, cause: str | None) -> Row:
    now = uow.now
    finishing, noted = after is VisitStatus.SERVED, cause != "day_closed"
    leaving = after in (VisitStatus.LEFT, VisitStatus.NO_SHOW)
    moved = await uow.one(
        queries.MOVE,
        visit=row.id,
        new_status=after.value,
        new_started=now if after is VisitStatus.SERVING else row.started_at,
        new_finished=now if finishing and noted else row.finished_at,
        new_left=now if leaving else row.left_at,
        new_cause=cause,
        new_wait=row.wait_seconds,
        new_handling=lasted(row.started_at, now) if finishing and noted else row.handling_seconds,
        new_calls=row.calls + (verb == "recall"),
    )
    if (finishing or leaving) and row.window is not None:
        await uow.write(window_queries.FREE, unit=row.unit, no=row.window, old_visit=row.id)
    await uow.emit(told(_EVENTS[verb], moved), subject=row.id)
    if verb == "recall":
        await _announce(uow, moved)
    else:
        await feed.tell(uow, row.unit, "visit")
    return moved


async def close_day(uow: Uow, visit_id: str) -> bool:
    """End a visit that its business day left open; True if it was.

    Who was never served has left. Who is in service was served: when that ended nobody noted, so neither the time nor
    how long it took is known, and the window is free again.
    """
    row = await uow.one(queries.VISIT_LOCKED, visit=visit_id)
    if row is None or row.status not in (VisitStatus.WAITING, VisitStatus.CALLED, VisitStatus.SERVING):
        return False
    if row.status == VisitStatus.SERVING:
        await _moved(uow, row, "finish", VisitStatus.SERVED, "day_closed")
    else:
        await _moved(uow, row, "leave", VisitStatus.LEFT, "day_closed")
    return True
