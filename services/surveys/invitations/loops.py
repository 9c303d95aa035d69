"""Background work of invitations that belongs to no request: sending those that waited, expiring the overdue."""

from typing import TYPE_CHECKING

from services.surveys.invitations import queries, service
from shared.db.uow import Reads, Uow
from shared.spec import Turn

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

BATCH = 200
ACTOR = "surveys.invitations"


def make_turn(runtime: "ServiceRuntime") -> Turn:
    """The loop's turn: looks first and writes only when there is something to do; returns how many rows moved."""

    async def turn() -> int:
        if not await runtime.db.read(_anything):
            return 0
        return await runtime.db.write(_work, actor=ACTOR)

    return turn


async def _anything(reads: Reads) -> bool:
    return bool(
        await reads.all(queries.WAITING, at=reads.now, limit=1)
        or await reads.all(queries.OVERDUE, at=reads.now, limit=1)
    )


async def _work(uow: Uow) -> int:
    return await service.open_waiting(uow, BATCH) + await service.expire(uow, BATCH)
