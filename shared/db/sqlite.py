"""SQLite, one file per service: one writer with group commit, a few reader threads.

Units are queued first come first served, which is the fair lock that busy-waiting is not (p99 of 2.5 s against 0.12 s
measured). The writer takes what is queued, runs each unit in its own savepoint, commits once with ``synchronous=FULL``
and only then answers: acknowledged means durable, and one sync serves many.

A brief unit runs on the loop's own thread, and only its commit waits for the disk in the writer's: every statement lets
go of the interpreter, so that a unit of ten statements in another thread waits ten times until the loop gives it back.
A unit of many rows runs in the writer's thread and never holds up the loop.
"""

import asyncio
import contextvars
import sqlite3
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.clock import Clock
from shared.db.errors import DatabaseUnavailable
from shared.db.sqlite_batch import Batch, Job
from shared.db.sqlite_driver import SqliteConnection, connect, drive, translate
from shared.db.uow import Reads, UnitContext, Uow

T = TypeVar("T")

READERS = 4


class SqliteDatabase:
    """One file: every write goes through one connection, every read through a few."""

    def __init__(self, path: Path, clock: Clock, context: UnitContext) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.context = context
        self._clock = clock
        self._jobs: deque[Job] = deque()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._readers: ThreadPoolExecutor | None = None
        self._writer: ThreadPoolExecutor | None = None
        self._raw: sqlite3.Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle = asyncio.Event()

    async def open(self) -> None:
        """Open the file and start its threads."""
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        try:
            self._raw = connect(self.path)
            self._raw.execute("PRAGMA busy_timeout=0")
        except sqlite3.Error as error:
            raise translate(error) from error
        self._connections.append(self._raw)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix=f"{self.path.stem}-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{self.path.stem}-write")

    async def close(self) -> None:
        """Finish the queued units, then close."""
        writer, readers = self._writer, self._readers
        if writer is None or readers is None:
            return
        # From here on nothing is accepted: a unit queued behind the last one would never be answered.
        self._writer = self._readers = None
        await self._idle.wait()
        await asyncio.to_thread(writer.shutdown)
        await asyncio.to_thread(readers.shutdown)
        for raw in self._connections:
            raw.close()
        self._connections.clear()

    async def write(self, unit: Callable[[Uow], Awaitable[T]], *, actor: str, brief: bool = False) -> T:
        """Queue the unit and wait until it is committed."""
        if self._loop is None or self._raw is None or self._writer is None:
            raise DatabaseUnavailable("the database is not open")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.append(Job(unit, actor, brief, contextvars.copy_context(), future))
        if self._idle.is_set():
            self._idle.clear()
            # Whatever arrives in this turn of the loop joins the same commit.
            self._loop.call_soon(self._turn, self._loop, self._raw, self._writer)
        return await future

    async def time(self) -> datetime:
        """Ours: the file has no clock of its own."""
        return self._clock.now()

    async def read(self, unit: Callable[[Reads], Awaitable[T]]) -> T:
        """Run the unit on a snapshot in a reader thread."""
        if self._loop is None or self._readers is None:
            raise DatabaseUnavailable("the database is not open")
        context = contextvars.copy_context()
        return await self._loop.run_in_executor(self._readers, context.run, self._read, unit)

    def _read(self, unit: Callable[[Reads], Awaitable[T]]) -> T:
        raw: sqlite3.Connection | None = getattr(self._local, "raw", None)
        try:
            if raw is None:
                raw = self._local.raw = connect(self.path, readonly=True)
                self._connections.append(raw)
            raw.execute("BEGIN")
        except sqlite3.Error as error:
            raise translate(error) from error
        try:
            return drive(cast(Coroutine[Any, Any, T], unit(Reads(SqliteConnection(raw), self._clock.now()))))
        finally:
            raw.execute("ROLLBACK")

    def _turn(self, loop: asyncio.AbstractEventLoop, raw: sqlite3.Connection, writer: ThreadPoolExecutor) -> None:
        batch = Batch(raw, self._jobs, self._clock, self.context)

        def elsewhere() -> None:
            batch.run(brief=False)
            batch.commit()

        here = self._jobs[0].brief and batch.begin_at_once()
        if here:
            batch.run(brief=True)

        def done(_: object) -> None:
            # The loop of a program that was torn down is gone, and so is whoever waited.
            if not loop.is_closed():
                loop.call_soon_threadsafe(answered)

        def answered() -> None:
            batch.answer()
            if self._jobs:
                loop.call_soon(self._turn, loop, raw, writer)
            else:
                self._idle.set()

        writer.submit(batch.commit if here else elsewhere).add_done_callback(done)


__all__ = ["SqliteConnection", "SqliteDatabase", "connect", "drive"]
