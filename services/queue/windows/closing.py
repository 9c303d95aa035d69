"""The end of the business day for windows: one left open is closed, so that tomorrow's opening asks everything anew."""

from typing import TYPE_CHECKING

from services.queue.windows import queries
from services.queue.windows.service import close_left_open
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.problems import ReferenceNotYetKnown

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn


def window_closer(runtime: "ServiceRuntime") -> "Turn":
    """The loop that closes windows opened on an earlier business day of their branch and without a customer."""

    async def over(reads: Reads) -> list[Row]:
        found = []
        for row in await reads.all(queries.LEFT_OPEN):
            try:
                unit = await replica.unit(reads, row.unit)
            except ReferenceNotYetKnown:
                continue
            if unit.business_date(row.opened_at) < unit.business_date(reads.now):
                found.append(row)
        return found

    async def turn() -> int:
        closed = 0
        for row in await runtime.db.read(over):

            async def close(uow: Uow, left: Row = row) -> bool:
                return await close_left_open(uow, left.unit, left.no, left.opened_at)

            closed += await runtime.db.write(close, actor="queue.close_windows")
        return closed

    return turn
