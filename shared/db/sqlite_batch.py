"""Group commit: units that arrive together share one transaction and one sync, each in its own savepoint."""

import asyncio
import contextlib
import contextvars
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from shared.clock import Clock
from shared.db.sqlite_driver import BUSY_SECONDS, SqliteConnection, drive, translate
from shared.db.uow import UnitContext, Uow
from shared.events.crash import crash

UNITS = 64
SECONDS = 0.005


@dataclass(slots=True)
class Job:
    """A unit that waits for its batch, and later its outcome."""

    unit: Callable[[Uow], Awaitable[Any]]
    actor: str
    brief: bool
    context: contextvars.Context
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None
    emitted: int = 0

    def answer(self) -> None:
        """Tell the caller, who may have gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class Batch:
    """One transaction of the writer's connection, which waits for nobody's lock unless it is told to."""

    def __init__(self, raw: sqlite3.Connection, queue: deque[Job], clock: Clock, context: UnitContext) -> None:
        self.jobs: list[Job] = []
        self._raw = raw
        self._queue = queue
        self._clock = clock
        self._context = context
        self._begun = self._lost = False

    def begin_at_once(self) -> bool:
        """Begin, unless another process (an operator's shell) holds the lock or the disk is in trouble."""
        try:
            self._begin()
        except sqlite3.Error:
            return False
        return True

    def run(self, *, brief: bool) -> None:
        """Run what is queued, first come first served; with ``brief`` up to the first unit that is not."""
        try:
            if not self._begun:
                self._raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
                self._begin()
                self._raw.execute("PRAGMA busy_timeout=0")
            connection = SqliteConnection(self._raw)
            end = time.monotonic() + SECONDS
            while self._queue and (self._queue[0].brief or not brief):
                if self.jobs:
                    if len(self.jobs) >= UNITS or time.monotonic() > end:
                        break
                    crash("batch:between-units")
                job = self._queue.popleft()
                self.jobs.append(job)
                self._run(connection, job)
        except BaseException as error:
            self._lose(error)

    def commit(self) -> None:
        """Make it durable, or lose all of it."""
        if self._lost:
            return
        try:
            crash("batch:before-commit")
            self._raw.execute("COMMIT")
            crash("batch:after-commit")
        except BaseException as error:
            self._lose(error)

    def answer(self) -> None:
        """Tell every caller, and whoever waits for events."""
        if any(job.emitted for job in self.jobs if job.error is None):
            for wake in self._context.after_emit:
                wake()
        for job in self.jobs:
            job.answer()

    def _begin(self) -> None:
        self._abandon()
        self._raw.execute("BEGIN IMMEDIATE")
        self._begun = True

    def _run(self, connection: SqliteConnection, job: Job) -> None:
        self._raw.execute("SAVEPOINT unit")
        uow = Uow(connection, self._clock.now(), job.actor, self._context)
        try:
            job.value = job.context.run(drive, cast(Coroutine[Any, Any, Any], job.unit(uow)))
        except BaseException as error:
            job.error = error
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK TO unit")
        else:
            job.emitted = uow.emitted
        if self._raw.in_transaction:
            self._raw.execute("RELEASE unit")
        else:
            # Some failures (disk full, I/O error) end the whole transaction inside SQLite.
            raise job.error or sqlite3.OperationalError("the transaction ended by itself")

    def _lose(self, error: BaseException) -> None:
        failure = translate(error) if isinstance(error, sqlite3.Error) else error
        self._lost = True
        self._abandon()
        if not self.jobs:
            self.jobs.append(self._queue.popleft())
        for lost in self.jobs:
            lost.error = lost.error or failure

    def _abandon(self) -> None:
        if self._raw.in_transaction:
            # On a broken disk this fails as well; the writer lives on and tries it again before its next batch.
            with contextlib.suppress(sqlite3.Error):
                self._raw.execute("ROLLBACK")
