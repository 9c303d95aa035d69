"""How far the logs go, seen by the API's processes: a consumer that stands still cannot say how far behind it is.

It learns the end of a partition with the records that it fetches; where no worker runs, or none gets a batch through,
its lag would stay what it was, and figures would claim to be complete.
"""

from collections.abc import Sequence

from shared.bus.base import Bus, BusUnavailable
from shared.db.database import Database
from shared.events import positions
from shared.observability.logging import get_logger

log = get_logger("events")

EVERY = 5.0


class Reach:
    """Looks at the ends of the topics that one service reads, and keeps them beside its offsets."""

    def __init__(self, service: str, db: Database, bus: Bus, topics: Sequence[str]) -> None:
        self._service = service
        self._db = db
        self._bus = bus
        self._topics = tuple(topics)

    async def turn(self) -> int:
        """Look once, and write only what is news; returns 0, as there is no more to see at once.

        A bus that does not say is the worker's to tell.
        """
        try:
            extents = await self._bus.extents(self._topics)
        except BusUnavailable as trouble:
            log.info("extents_unknown", service=self._service, error=type(trouble).__name__)
            return 0
        if any(await self._db.read(lambda reads: positions.further(reads, extents))):
            await self._db.write(lambda uow: positions.reach(uow, extents), actor="events.reach")
        return 0
