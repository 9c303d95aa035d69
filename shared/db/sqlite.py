"""SQLite, one file per service: one writer thread with group commit, a few reader threads.

Units are queued first come first served, which is the fair lock that busy-waiting is not (p99 of 2.5 s against 0.12 s
measured). The writer takes what is queued, runs each unit in its own savepoint, commits once with ``synchronous=FULL``
and only then answers: acknowledged means durable, and one sync serves many.
"""

import asyncio
import contextlib
import contextvars
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.clock import Clock
from shared.db.errors import DatabaseError, DatabaseUnavailable, IntegrityViolation, UniqueConflict, ValueRefused
from shared.db.statements import SQLITE, Compiler, Row, Statement
from shared.db.uow import Reads, UnitContext, Uow
from shared.events.crash import crash

T = TypeVar("T")

BATCH_UNITS = 64
BATCH_SECONDS = 0.005
READERS = 4

_compile = Compiler(SQLITE)


def connect(path: Path | str, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection with the house's settings; transactions are ours (``isolation_level=None``)."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=512)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-8000")
    if readonly:
        connection.execute("PRAGMA query_only=ON")
    return connection


_FAULTS = (sqlite3.Error, OverflowError, UnicodeEncodeError)
"""What the driver raises: its own errors, and Python's for values that it cannot bind."""


def translate(error: Exception) -> DatabaseError:
    """The kit's word for a driver's error."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return ValueRefused(type(error).__name__)
    if isinstance(error, sqlite3.IntegrityError):
        text = str(error)
        if text.startswith("UNIQUE constraint failed: "):
            return UniqueConflict(text.removeprefix("UNIQUE constraint failed: "))
        return IntegrityViolation(text)
    if isinstance(error, sqlite3.OperationalError) and _is_trouble(error):
        return DatabaseUnavailable(str(error))
    return DatabaseError(str(error))


def _is_trouble(error: sqlite3.OperationalError) -> bool:
    # Extended codes keep the primary code in the low byte (sqlite.org/rescode.html).
    primary = getattr(error, "sqlite_errorcode", 1) & 0xFF
    return primary in {5, 6, 8, 10, 13, 14}  # BUSY LOCKED READONLY IOERR FULL CANTOPEN


class SqliteConnection:
    """Runs prepared statements; its coroutines never suspend."""

    __slots__ = ("raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    async def fetch(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """Run and return the rows."""
        prepared = _compile(statement)
        try:
            rows = self.raw.execute(prepared.sql, prepared.values(params)).fetchall()
        except _FAULTS as error:
            raise translate(error) from error
        make = prepared.row
        return [make(row) for row in rows] if make is not None else []

    async def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Run and return how many rows were affected."""
        prepared = _compile(statement)
        try:
            return self.raw.execute(prepared.sql, prepared.values(params)).rowcount
        except _FAULTS as error:
            raise translate(error) from error

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Any]], *, distinct: bool) -> None:
        """Run once per row."""
        prepared = _compile(statement)
        try:
            self.raw.executemany(prepared.sql, [prepared.values(row) for row in rows])
        except _FAULTS as error:
            raise translate(error) from error


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, here and now."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    coroutine.close()
    raise RuntimeError("a unit of work may await nothing but its own database")


@dataclass(slots=True)
class _Job:
    unit: Callable[[Uow], Awaitable[Any]]
    actor: str
    context: contextvars.Context
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None
    emitted: int = 0


class SqliteDatabase:
    """One file: every write goes through one thread, every read through a few."""

    def __init__(self, path: Path, clock: Clock, context: UnitContext) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.context = context
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Open the file and start its threads."""
        self._loop = asyncio.get_running_loop()
        try:
            raw = connect(self.path)
        except sqlite3.Error as error:
            raise translate(error) from error
        self._connections.append(raw)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix=f"{self.path.stem}-read")
        self._writer = threading.Thread(
            target=self._write_loop, args=(raw,), name=f"{self.path.stem}-write", daemon=True
        )
        self._writer.start()

    async def close(self) -> None:
        """Finish the queued units, then close."""
        writer, readers = self._writer, self._readers
        if writer is None or readers is None:
            return
        # From here on nothing is accepted: a unit queued behind the last one would never be answered.
        self._writer = self._readers = None
        self._jobs.put(None)
        await asyncio.to_thread(writer.join)
        await asyncio.to_thread(readers.shutdown)
        for raw in self._connections:
            raw.close()
        self._connections.clear()

    async def write(self, unit: Callable[[Uow], Awaitable[T]], *, actor: str) -> T:
        """Queue the unit and wait until it is committed."""
        if self._loop is None or self._writer is None:
            raise DatabaseUnavailable("the database is not open")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(unit, actor, contextvars.copy_context(), future))
        return await future

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

    def _write_loop(self, raw: sqlite3.Connection) -> None:
        connection = SqliteConnection(raw)
        while (job := self._jobs.get()) is not None:
            done = self._batch(raw, connection, job)
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._answer, done)

    def _batch(self, raw: sqlite3.Connection, connection: SqliteConnection, first: _Job) -> list[_Job]:
        jobs: list[_Job] = []
        job: _Job | None = first
        try:
            self._abandon(raw)
            raw.execute("BEGIN IMMEDIATE")
            end = time.monotonic() + BATCH_SECONDS
            while job is not None:
                jobs.append(job)
                self._run(raw, connection, job)
                if len(jobs) >= BATCH_UNITS or time.monotonic() > end:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    self._jobs.put(None)
                else:
                    crash("batch:between-units")
            crash("batch:before-commit")
            raw.execute("COMMIT")
            crash("batch:after-commit")
        except BaseException as error:
            failure = translate(error) if isinstance(error, sqlite3.Error) else error
            self._abandon(raw)
            for lost in jobs or [first]:
                lost.error = lost.error or failure
            return jobs or [first]
        return jobs

    @staticmethod
    def _abandon(raw: sqlite3.Connection) -> None:
        if raw.in_transaction:
            # On a broken disk this fails as well; the writer lives on and tries it again before its next batch.
            with contextlib.suppress(sqlite3.Error):
                raw.execute("ROLLBACK")

    def _run(self, raw: sqlite3.Connection, connection: SqliteConnection, job: _Job) -> None:
        raw.execute("SAVEPOINT unit")
        uow = Uow(connection, self._clock.now(), job.actor, self.context)
        try:
            job.value = job.context.run(drive, cast(Coroutine[Any, Any, Any], job.unit(uow)))
        except BaseException as error:
            job.error = error
            if raw.in_transaction:
                raw.execute("ROLLBACK TO unit")
        else:
            job.emitted = uow.emitted
        if raw.in_transaction:
            raw.execute("RELEASE unit")
        else:
            # Some failures (disk full, I/O error) end the whole transaction inside SQLite.
            raise job.error or sqlite3.OperationalError("the transaction ended by itself")

    def _answer(self, jobs: list[_Job]) -> None:
        if any(job.emitted for job in jobs if job.error is None):
            for wake in self.context.after_emit:
                wake()
        for job in jobs:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.value)


__all__ = ["SqliteConnection", "SqliteDatabase", "connect", "drive"]
