"""The end of the business day: who was not served is not called tomorrow, no service lasts overnight (日终清号)."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from services.queue.policies.kinds import HALL
from services.queue.tickets import queries
from services.queue.tickets.service import close_day
from shared.db.statements import Statement
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.replica import UnitRow
from shared.policies.lookup import in_force
from shared.web.problems import ReferenceNotYetKnown

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn

BATCH = 500
"""Visits ended in one turn; what is left waits for the next, which follows at once."""


def closer(runtime: "ServiceRuntime") -> "Turn":
    """The loop that ends visits whose business day is over at their branch."""

    async def over(reads: Reads) -> list[str]:
        found = await _left(reads, queries.OPEN_DAYS, queries.ORPHANS, lambda _: reads.now)
        halls = await in_force(reads, HALL)
        forgotten = await _left(
            reads, queries.SERVED_DAYS, queries.FORGOTTEN, lambda unit: reads.now - halls.at(unit.path).forgotten_after
        )
        return found + forgotten

    async def turn() -> int:
        ended = 0
        for visit in await runtime.db.read(over):

            async def end(uow: Uow, visit_id: str = visit) -> bool:
                return await close_day(uow, visit_id)

            ended += await runtime.db.write(end, actor="queue.close_day")
        return ended

    return turn


async def _left(reads: Reads, days: Statement, visits: Statement, at: Callable[[UnitRow], datetime]) -> list[str]:
    """The ``visits`` of those ``days`` that were over at the instant ``at`` says for their branch, a batch at most."""
    found: list[str] = []
    # The calendar day in UTC bounds the candidates: nowhere does a business day end before that day has begun in UTC.
    # Each branch then decides by its own zone and cut-off.
    for day in await reads.all(days, day=reads.now.date()):
        try:
            unit = await replica.unit(reads, day.unit)
        except ReferenceNotYetKnown:
            continue
        if day.business_date < unit.business_date(at(unit)):
            rows = await reads.all(visits, unit=day.unit, day=day.business_date, most=BATCH - len(found))
            found += [row.id for row in rows]
        if len(found) >= BATCH:
            break
    return found
