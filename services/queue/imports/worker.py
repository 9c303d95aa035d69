"""The loop that imports uploaded files, one chunk a turn, the oldest run first."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.queue.imports import queries, service
from services.queue.imports.service import Chunk, Overtaken
from services.queue.imports.session import Session
from services.queue.imports.spool import Spool
from shared.db.errors import DatabaseUnavailable
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.events.crash import crash
from shared.observability.logging import get_logger

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime
    from shared.spec import Turn

log = get_logger("imports")

ACTOR: Final = "queue.imports"
TRIES: Final = 3
FINAL: Final = frozenset({"completed", "failed"})
ORPHANED: Final = timedelta(hours=1)
"""A file without a run that was not written to for so long lost its upload to a crash."""


def spool_of(data: Path) -> Spool:
    """Where uploads wait below the data folder."""
    return Spool(data / "imports")


def importer(runtime: "ServiceRuntime") -> "Turn":
    """The loop's turn."""
    return Importer(runtime).turn


class Importer:
    """Works on one run at a time; two workers on one run are safe, and the slower one begins again behind the other."""

    def __init__(self, runtime: "ServiceRuntime") -> None:
        self._db = runtime.db
        self._keyring = runtime.keyring
        self._spool = spool_of(runtime.settings.data)
        self._session: Session | None = None
        self._failures: dict[str, int] = {}
        self._clock = runtime.clock
        self._next_sweep: datetime | None = None

    async def turn(self) -> int:
        """Import one chunk; 0 when there is no run."""
        await self._sweep()
        session = self._session or await self._db.read(self._open)
        if session is None:
            return 0
        # Whatever interrupts the step, the next turn starts from what the database holds.
        self._session = None
        try:
            chunk = await session.chunk()
            if chunk is None or await self._keep(session, chunk):
                self._session = session
        except Overtaken:
            return 0
        except FileNotFoundError:
            await self._fail(session.run, "file_lost")
        except DatabaseUnavailable:
            raise
        except Exception as error:
            await self._count(session.run, error)
            raise
        return 1

    async def _open(self, reads: Reads) -> Session | None:
        run = await reads.one(queries.OLDEST)
        if run is None:
            return None
        unit = await replica.unit(reads, run.unit)
        return Session(run, unit.zone, self._spool, self._pseudonym)

    async def _keep(self, session: Session, chunk: Chunk) -> bool:
        """Keep the chunk; whether the run goes on."""
        session.run = await self._db.write(lambda uow: service.keep(uow, session.run, chunk), actor=ACTOR)
        crash("import:after-commit")
        self._failures.pop(session.run.id, None)
        if chunk.last:
            await asyncio.to_thread(self._spool.remove, session.run.id)
            log.info("import_completed", service="queue")
        return not chunk.last

    async def _count(self, run: Row, error: Exception) -> None:
        """A run that fails again and again must not hold up those behind it."""
        failures = self._failures[run.id] = self._failures.get(run.id, 0) + 1
        if failures >= TRIES:
            log.error("import_failed", service="queue", error=type(error).__name__)
            await self._fail(run, "internal_error")

    async def _fail(self, run: Row, failure: str) -> None:
        async def end(uow: Uow) -> None:
            await service.give_up(uow, run, failure)

        with suppress(Overtaken):
            await self._db.write(end, actor=ACTOR)
            self._failures.pop(run.id, None)
            await asyncio.to_thread(self._spool.remove, run.id)

    async def _sweep(self) -> None:
        """At the start and every hour: remove what a crash left between file and run, or between run and removal."""
        now = self._clock.now()
        if self._next_sweep is not None and now < self._next_sweep:
            return
        self._next_sweep = now + ORPHANED
        found = await asyncio.to_thread(self._spool.found)
        if not found:
            return
        runs = sorted({file.run for file in found})
        status = {row.id: row.status for row in await self._db.read(lambda reads: reads.all(queries.STATUS, runs=runs))}
        for file in found:
            over = status[file.run] in FINAL if file.run in status else file.written_at < now - ORPHANED
            if over:
                await asyncio.to_thread(self._spool.remove, file.name)

    def _pseudonym(self, reference: str) -> str:
        return f"ext:{self._keyring.keyed_hash('staff_external', reference)[:16]}"
