"""The end of the business day: who was never served is not called tomorrow (日终清号)."""

from datetime import UTC
from typing import TYPE_CHECKING

from services.queue.tickets import queries
from services.queue.tickets.service import close_day
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.business_day import business_date

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn


def closer(runtime: "ServiceRuntime") -> "Turn":
    """The loop that ends visits whose business day is over at their branch."""

    async def over(reads: Reads) -> list[Row]:
        found = []
        # Whatever is not after today in UTC may be over somewhere: each branch decides by its own day.
        for row in await reads.all(queries.ORPHANS, day=reads.now.astimezone(UTC).date()):
            unit = await replica.unit(reads, row.unit)
            if row.business_date < business_date(reads.now, unit.zone, unit.cutoff):
                found.append(row)
        return found

    async def turn() -> int:
        ended = 0
        for row in await runtime.db.read(over):

            async def end(uow: Uow, visit_id: str = row.id) -> bool:
                return await close_day(uow, visit_id)

            ended += await runtime.db.write(end, actor="queue.close_day")
        return ended

    return turn
