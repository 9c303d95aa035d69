"""What a kiosk reports: each action carried out once, in its order, at the time it happened (离线补传)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from services.queue.catalogue import queries as catalogue
from services.queue.kiosks import queries
from services.queue.kiosks.rules import OLDEST, PURPOSE, Rejection, Timing, numbers, rejection, signed, timing
from services.queue.kiosks.schemas import KioskAct, SyncResult
from services.queue.kiosks.service import ORDINARY, add_help
from services.queue.tickets import queries as tickets
from services.queue.tickets.service import TOKEN, new_visit, opened
from shared.db.statements import Row
from shared.db.uow import Uow
from shared.directory.replica import UnitRow
from shared.events.outgoing import Outgoing
from shared.web import feed


class _Known(NamedTuple):
    """What is known before the first action is judged: a bounded number of questions for a whole batch."""

    done: dict[str, Row]
    leases: dict[str, Row]
    lent: dict[str, dict[str, str]]
    """Lease → number → the visit it will be."""
    services: dict[str, Row | None]
    visits: set[str]


async def sync(uow: Uow, unit: UnitRow, device: str, actions: Sequence[KioskAct]) -> list[SyncResult]:
    """Carry out what a kiosk reports.

    INVARIANT: an action has its effect once, however often it is sent: its id is kept with its result, in the
    transaction of its effect (tests/queue/kiosks/test_api.py::test_a_batch_sent_again_changes_nothing).
    """
    known = await _known(uow, unit, actions)
    results: list[SyncResult] = []
    kept, visits, calls = [], [], []
    for act in sorted(actions, key=lambda each: each.seq):
        if (before := known.done.get(act.id)) is not None:
            results.append(_again(before, act.id))
            continue
        row, visit = _judge(uow, unit, device, act, known)
        kept.append(row)
        if visit is not None:
            visits.append(visit)
            known.visits.add(visit["id"])
        elif row["result"] == "applied":
            calls.append(row["occurred_at"])
        known.done[act.id] = _Done(row["result"], row["reason"], row["visit"])
        reason = Rejection(row["reason"]) if row["reason"] else None
        results.append(SyncResult(id=act.id, result=row["result"], reason=reason, visit=row["visit"]))
    await uow.many(queries.ADD_ACTION, kept)
    await uow.many(tickets.ADD, visits)
    await uow.emit_many([Outgoing(opened(visit), visit["id"], visit["issued_at"]) for visit in visits])
    await add_help(uow, unit, device, calls)
    if visits:
        await feed.tell(uow, unit.id, "ticket")
    by_id = {result.id: result for result in results}
    return [by_id[act.id] for act in actions]


class _Done(NamedTuple):
    result: str
    reason: str | None
    visit: str | None


def _again(before: Any, action: str) -> SyncResult:
    if before.result == "rejected":
        return SyncResult(id=action, result="rejected", reason=Rejection(before.reason))
    return SyncResult(id=action, result="replayed", visit=before.visit)


async def _known(uow: Uow, unit: UnitRow, actions: Sequence[KioskAct]) -> _Known:
    done = await uow.all(queries.ACTIONS, actions=[act.id for act in actions])
    rows = await uow.all(queries.LEASES, leases=sorted({act.lease for act in actions if act.lease}))
    leases = {row.id: row for row in rows if row.unit == unit.id}
    lent = {lease.id: dict(numbers(lease)) for lease in leases.values()}
    visits = await uow.all(tickets.KNOWN, visits=[visit for one in lent.values() for visit in one.values()])
    services = {}
    for code in sorted({lease.service for lease in leases.values()}):
        services[code] = await uow.one(catalogue.TO_ISSUE, unit=unit.id, code=code, class_code=ORDINARY, at=uow.now)
    return _Known({row.id: row for row in done}, leases, lent, services, {row.id for row in visits})


def _judge(
    uow: Uow, unit: UnitRow, device: str, act: KioskAct, known: _Known
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The row that is kept of an action, and the visit that it begins."""
    lease = known.leases.get(act.lease or "")
    when = timing(act.device_time, act.offset_ms, uow.now - OLDEST if lease is None else lease.issued_at, uow.now)
    visit, reason = None, None
    if act.kind == "issue":
        visit, reason = _ticket(uow, device, act, lease, when, known)
    row = {
        "id": act.id,
        "device": device,
        "kind": act.kind,
        "seq": act.seq,
        "visit": visit["id"] if visit is not None else None,
        "device_time": act.device_time,
        "occurred_at": when.at,
        "skew_seconds": when.skew_seconds,
        "received_at": uow.now,
        "result": "rejected" if reason else "applied",
        "reason": reason,
    }
    return row, visit


def _ticket(
    uow: Uow, device: str, act: KioskAct, lease: Any, when: Timing, known: _Known
) -> tuple[dict[str, Any] | None, str | None]:
    genuine = lease is not None and uow.records.keyed_hash(PURPOSE, signed(lease)) == act.signature
    number = act.number or ""
    visit = known.lent[lease.id].get(number) if lease is not None else None
    reason = rejection(lease, device=device, genuine=genuine, lent=visit is not None, at=when.at, now=uow.now)
    if reason is not None or visit is None:
        return None, (reason or Rejection.NUMBER_NOT_LEASED).value
    if visit in known.visits:
        return None, Rejection.NUMBER_USED.value
    service = known.services[lease.service]
    if service is None or service.offered is None or service.head_start_seconds is None:
        return None, Rejection.SERVICE_NOT_OFFERED.value
    row = new_visit(
        id=visit,
        unit=lease.unit,
        business_date=lease.business_date,
        number=number,
        service=lease.service,
        ticket_class=ORDINARY,
        channel="kiosk",
        issued_at=when.at,
        order_at=when.at - timedelta(seconds=service.head_start_seconds),
        quote_p50=act.told.p50,
        quote_p80=act.told.p80,
        token_hash=uow.records.token_hash(uow.records.link_token(TOKEN, visit)),
        contact=None,
    )
    return row, None
