"""Use cases of the kiosks: lend numbers, tell the waits, call for help."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple

from services.queue.catalogue import queries as catalogue
from services.queue.catalogue.service import to_issue
from services.queue.estimates.rules import quote
from services.queue.estimates.service import params
from services.queue.kiosks import queries
from services.queue.kiosks.rules import PURPOSE, SIZE, day_ends, signed
from services.queue.policies.kinds import HALL
from services.queue.tickets import queries as tickets
from services.queue.windows import queries as windows
from services.queue.windows.rules import WindowState
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.replica import UnitRow
from shared.ids import uuid7
from shared.policies.lookup import in_force
from shared.security.principal import Principal
from shared.web import feed
from shared.web.problems import NotFound

ORDINARY = "ordinary"
"""The class of a ticket that a customer takes without anybody looking."""


async def lend(uow: Uow, unit: UnitRow, device: str, service: str, count: int) -> tuple[Any, str]:
    """Lend ``count`` numbers of ``service`` until the business day ends; the lease and its signature.

    INVARIANT: no number is given out twice, whether lent or issued at once, as both take it from the same counter's
    row (tests/queue/kiosks/test_api.py::test_leases_and_tickets_share_one_counter).
    """
    replica.require_in_force(unit, uow.now)
    known = await to_issue(uow, unit.id, service, ORDINARY)
    day = unit.business_date(uow.now)
    last = await uow.scalar(
        tickets.TAKE_NUMBERS, unit=unit.id, business_date=day, prefix=known.prefix, last=count, count=count
    )
    row: dict[str, Any] = {
        "id": uuid7(),
        "unit": unit.id,
        "device": device,
        "service": service,
        "prefix": known.prefix,
        "business_date": day,
        "first": last - count + 1,
        "count": count,
        "issued_at": uow.now,
        "expires_at": day_ends(uow.now, unit.zone, unit.cutoff),
    }
    await uow.write(queries.ADD_LEASE, **row)
    await uow.audit("kiosk.leased", object_type="kiosk_lease", object_id=row["id"], unit=unit.id)
    lease = SimpleNamespace(**row)
    return lease, uow.records.keyed_hash(PURPOSE, signed(lease))


class Wait(NamedTuple):
    """The wait for a service: ``windows`` are open for it, ``quotes`` are (p50, p80) of this place and the next."""

    service: Row
    ahead: int
    windows: int
    quotes: list[tuple[int, int]]


async def waits(reads: Reads, unit: UnitRow, places: int = SIZE) -> list[Wait]:
    """The wait of every service that the branch offers, by code; three questions however many services there are."""
    offered = await reads.all(catalogue.OFFERED, unit=unit.id, after="", most=200)
    day = unit.business_date(reads.now)
    waiting = Counter(
        {row.service: row.waiting for row in await reads.all(tickets.WAITING_BY_SERVICE, unit=unit.id, day=day)}
    )
    at_window: dict[str, set[str]] = defaultdict(set)
    running: Counter[str] = Counter()
    idle: Counter[str] = Counter()
    for row in await reads.all(windows.SERVING, unit=unit.id):
        at_window[row.no].add(row.service)
        running[row.service] += row.state == WindowState.OPEN
        idle[row.service] += row.state == WindowState.OPEN and row.visit is None
    in_force = await params(reads)
    found = []
    for row in offered:
        competing = {row.code}.union(*(served for served in at_window.values() if row.code in served))
        ahead = sum(waiting[code] for code in competing)
        quotes = [
            quote(ahead + place, running[row.code], in_force.mean_service_seconds, in_force, idle=idle[row.code])
            for place in range(places + 1)
        ]
        told = [(round(each.p50), round(each.p80)) for each in quotes if each.p50 is not None and each.p80 is not None]
        found.append(Wait(row, ahead, running[row.code], told))
    return found


async def ask_help(uow: Uow, unit: UnitRow, device: str) -> None:
    """Call a person to the kiosk; who calls again before anybody came has called once."""
    await add_help(uow, unit, device, [uow.now])


async def add_help(uow: Uow, unit: UnitRow, device: str, asked: Sequence[datetime]) -> None:
    """Keep calls for a person made at ``asked``, oldest first: the first of them, unless one waits already."""
    if not asked:
        return
    since = uow.now - (await in_force(uow, HALL)).at(unit.path).help_waits
    if await uow.one(queries.WAITING_HELP, unit=unit.id, device=device, since=since) is not None:
        return
    await uow.write(
        queries.ADD_HELP, id=uuid7(), unit=unit.id, device=device, asked_at=asked[0], answered_at=None, answered_by=None
    )
    await feed.tell(uow, unit.id, "help")


async def help_call(uow: Uow, call: str) -> Row:
    """The call, locked, or 404."""
    row = await uow.one(queries.HELP, call=call)
    if row is None:
        raise NotFound(pointer="/path/call")
    return row


async def answer_help(uow: Uow, call: str, by: Principal) -> Row:
    """Somebody goes to the kiosk; a call answered before stays whose it was."""
    answered = await uow.execute(queries.ANSWER_HELP, call=call, at=uow.now, by=by.staff_id or by.sub)
    row = await help_call(uow, call)
    if answered:
        await uow.audit("help.answered", object_type="help_call", object_id=call, unit=row.unit)
        await feed.tell(uow, row.unit, "help")
    return row


async def help_calls(reads: Reads, unit: UnitRow) -> list[Row]:
    """Calls for a person that are still news, those that wait first, in the order of asking (找工作人员)."""
    since = reads.now - (await in_force(reads, HALL)).at(unit.path).help_waits
    rows = await reads.all(queries.HELP_SINCE, unit=unit.id, since=since)
    return sorted(rows, key=lambda row: (row.answered_at is not None, row.asked_at))
