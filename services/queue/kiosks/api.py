"""Routes of the kiosks."""

from fastapi import Request

from services.queue.auth import AnswerHelp, ReadHall, ReadWaits, RunKiosk
from services.queue.catalogue.schemas import Names
from services.queue.kiosks import queries, service
from services.queue.kiosks.qr import packed
from services.queue.kiosks.rules import numbers
from services.queue.kiosks.schemas import (
    HelpCallView,
    LeasedNumber,
    LeaseRequest,
    LeaseView,
    ServiceWait,
    SyncReply,
    SyncRequest,
    Waits,
)
from services.queue.kiosks.service import Wait
from services.queue.kiosks.sync import sync
from services.queue.tickets.printing import qr_text
from services.queue.tickets.service import TOKEN
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.fields import PathId, UnitId
from shared.web.paging import Page, Paging, page
from shared.web.routing import ServiceRouter

router = ServiceRouter("queue", "kiosks")


@router.post("/kiosks/lease", status_code=201)
async def lease_numbers(uow: Uow, actor: RunKiosk, request: Request, command: LeaseRequest) -> LeaseView:
    """Lend numbers to a kiosk (号段租约), so that it gives out tickets while it is cut off."""
    unit = await replica.branch(uow, actor, command.unit)
    lease, signature = await service.lend(uow, unit, actor.sub, command.service, command.count)
    base = request.app.state.settings.base_url
    lent = []
    for number, visit in numbers(lease):
        token = uow.records.link_token(TOKEN, visit)
        lent.append(LeasedNumber(number=number, id=visit, token=token, qr=packed(qr_text(base, token))))
    return LeaseView(
        id=lease.id,
        unit=lease.unit,
        service=lease.service,
        prefix=lease.prefix,
        business_date=lease.business_date,
        expires_at=lease.expires_at,
        signature=signature,
        server_now=uow.now,
        numbers=lent,
    )


@router.post("/tickets/sync")
async def sync_tickets(uow: Uow, actor: RunKiosk, command: SyncRequest) -> SyncReply:
    """Report what happened at a kiosk (离线补传): a result for each action; sent again, nothing happens twice."""
    unit = await replica.branch(uow, actor, command.unit)
    results = await sync(uow, unit, actor.sub, command.actions)
    return SyncReply(results=results, server_now=uow.now)


@router.get("/branches/{unit}/waits")
async def get_waits(reads: Reads, actor: ReadWaits, unit: UnitId) -> Waits:
    """How long who takes a number now waits, by service, with the quotes of the places after (等候预估)."""
    branch = await replica.branch(reads, actor, unit)
    found = await service.waits(reads, branch)
    return Waits(server_now=reads.now, services=[_wait(each) for each in found])


def _wait(found: Wait) -> ServiceWait:
    p50, p80 = found.quotes[0] if found.quotes else (None, None)
    return ServiceWait(
        service=found.service.code,
        names=Names(zh=found.service.name_zh, en=found.service.name_en),
        ahead=found.ahead,
        windows=found.windows,
        p50=p50,
        p80=p80,
        next=found.quotes[1:],
    )


@router.get("/branches/{unit}/help-calls")
async def list_help_calls(reads: Reads, actor: ReadHall, unit: UnitId, paging: Paging) -> Page[HelpCallView]:
    """Customers at kiosks who wait for a person (找工作人员), in the order of asking."""
    branch = await replica.branch(reads, actor, unit)
    rows = await reads.all(queries.OPEN_HELP, unit=branch.id, after=paging.after, most=paging.fetch)
    return Page[HelpCallView](**page(paging, rows, lambda row: row.id, HelpCallView.of))


@router.post("/help-calls/{call}/answer")
async def answer_help_call(uow: Uow, actor: AnswerHelp, call: PathId) -> HelpCallView:
    """Somebody is on the way to the kiosk."""
    row = await service.help_call(uow, call)
    await replica.branch(uow, actor, row.unit)
    return HelpCallView.of(await service.answer_help(uow, call, actor))
