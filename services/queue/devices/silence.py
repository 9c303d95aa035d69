"""The loop that tells of devices that are no longer heard (设备失联)."""

from typing import TYPE_CHECKING

from services.queue.devices import queries
from services.queue.devices.rules import SILENT_AFTER
from services.queue.devices.service import tell_silent
from shared.db.statements import Row
from shared.db.uow import Reads, Uow

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn


def listener(runtime: "ServiceRuntime") -> "Turn":
    """The loop's turn: how many devices fell silent."""

    async def quiet(reads: Reads) -> list[Row]:
        return await reads.all(queries.SILENT, before=reads.now - SILENT_AFTER)

    async def turn() -> int:
        told = 0
        for row in await runtime.db.read(quiet):

            async def tell(uow: Uow, device: Row = row) -> bool:
                return await tell_silent(uow, device)

            told += await runtime.db.write(tell, actor="queue.devices")
        return told

    return turn
