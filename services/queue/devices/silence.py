"""The loop that tells of devices that are no longer heard (设备失联)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from services.queue.devices import queries
from services.queue.devices.service import tell_silent
from services.queue.policies.kinds import HALL
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.policies.lookup import in_force

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn

PAGE = 200
"""Devices looked at in one query; about as many are told in one turn, and the rest in the next."""


def listener(runtime: "ServiceRuntime") -> "Turn":
    """The loop's turn: how many devices fell silent."""

    async def quiet(reads: Reads) -> list[tuple[Row, timedelta]]:
        """The devices that are silent by their branch's policy, with how long they might have been."""
        halls = await in_force(reads, HALL)
        before = reads.now - min(each.device_silent for each in halls.all())
        found: list[tuple[Row, timedelta]] = []
        last = ""
        # Page by page: devices of branches that wait longer hide none of those behind them.
        while rows := await reads.all(queries.SILENT, before=before, after=last, most=PAGE):
            last = rows[-1].id
            judged = [(row, halls.at(row.path or "").device_silent) for row in rows]
            found += [(row, after) for row, after in judged if reads.now - row.seen_at > after]
            if len(rows) < PAGE or len(found) >= PAGE:
                break
        return found

    async def turn() -> int:
        told = 0
        for row, after in await runtime.db.read(quiet):

            async def tell(uow: Uow, device: Row = row, after: timedelta = after) -> bool:
                return await tell_silent(uow, device, after)

            told += await runtime.db.write(tell, actor="queue.devices")
        return told

    return turn
