"""PostgreSQL: one database per service, a fixed asyncpg pool, READ COMMITTED.

Statements are SQLAlchemy Core compiled once and run on the driver, which reaches the floor of hand-written SQL; the
greenlet bridge of SQLAlchemy's own async layer would cost about 30 µs a call.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

import asyncpg
import sqlalchemy as sa

from shared.clock import Clock
from shared.db.bulk import takes_equal_keys
from shared.db.doorbell import Doorbell
from shared.db.errors import DatabaseError, DatabaseUnavailable, IntegrityViolation, UniqueConflict, ValueRefused
from shared.db.merging import Waiting
from shared.db.statements import POSTGRES, Compiler, Prepared, Row, Rows, Statement
from shared.db.uow import Reads, UnitContext, Uow
from shared.observability.logging import get_logger

T = TypeVar("T")
Bell = Literal["none", "rings", "listens"]

log = get_logger("db")

_compile = Compiler(POSTGRES)
_TIME = sa.select(sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)).label("time"))

_TROUBLE = (
    asyncpg.PostgresConnectionError,
    # What the driver makes of a connection that dies between two messages of the protocol.
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    OSError,
    TimeoutError,
)
OPEN_PATIENCE = 30.0
OPEN_AGAIN = 0.5
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_FAULTS = (asyncpg.PostgresError, *_TROUBLE)


class _TryAgain(DatabaseUnavailable):
    """The server chose this unit to give way; from its start it may go through."""


def translate(error: BaseException) -> BaseException:
    """The kit's word for a driver's error; anything else comes back as it is."""
    # The driver's own errors of arguments are interface errors too, but no trouble of the database.
    if isinstance(error, asyncpg.DataError) or (
        isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    ):
        return ValueRefused(type(error).__name__)
    if isinstance(error, _AGAIN):
        return _TryAgain(type(error).__name__)
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        unique = isinstance(error, asyncpg.UniqueViolationError)
        name = error.constraint_name
        return UniqueConflict(name or "") if unique else IntegrityViolation(name or type(error).__name__)
    if isinstance(error, _TROUBLE):
        return DatabaseUnavailable(type(error).__name__)
    if isinstance(error, asyncpg.PostgresError):
        return DatabaseError(f"{type(error).__name__} {error.sqlstate}")
    return error


class PostgresConnection:
    """Runs prepared statements on one asyncpg connection; writes that can wait travel together (see ``merging``)."""

    __slots__ = ("_waiting", "raw")

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self._waiting = Waiting()

    async def later(self, statement: Statement, params: Mapping[str, Any]) -> None:
        """Let a write wait for the next round trip that must be made."""
        prepared = await self._next(statement)
        if not self._waiting.add(prepared.sql, prepared.values(params), prepared.touched):
            await self.run(statement, params)

    async def flush(self) -> None:
        """Send what waits."""
        if self._waiting.sqls:
            sql, values = self._waiting.take()
            try:
                await self.raw.execute(sql, *values)
            except _FAULTS as error:
                raise translate(error) from error

    async def _next(self, statement: Statement) -> Prepared:
        """The statement prepared, after all that it could notice."""
        prepared = _compile(statement)
        if self._waiting.holds_up(prepared.touched):
            await self.flush()
        return prepared

    async def fetch(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """Run and return the rows."""
        prepared = await self._next(statement)
        try:
            rows = await self.raw.fetch(prepared.sql, *prepared.values(params))
        except _FAULTS as error:
            raise translate(error) from error
        make = prepared.row
        return [make(row.values()) for row in rows] if make is not None else []

    async def run(self, statement: Statement, params: Mapping[str, Any]) -> int:
        """Run and return how many rows were affected."""
        prepared = await self._next(statement)
        try:
            tag: str = await self.raw.execute(prepared.sql, *prepared.values(params))
        except _FAULTS as error:
            raise translate(error) from error
        last = tag.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def run_many(self, statement: Statement, rows: Rows, *, distinct: bool) -> None:
        """Run for all rows: as one statement over arrays where it can be, else pipelined by the driver."""
        prepared = await self._next(statement)
        columns = prepared.columns(rows)
        bulk = prepared.bulk if distinct or takes_equal_keys(prepared.sql) else None
        try:
            if bulk is None or len(columns[0]) == 1:
                await self.raw.executemany(prepared.sql, list(zip(*columns, strict=True)))
            else:
                await self.raw.execute(bulk.sql, *bulk.arrays(columns))
        except _FAULTS as error:
            raise translate(error) from error


async def _keep(_: Any) -> None:
    """No reset on check-in: each unit ends with COMMIT or ROLLBACK, and a reset is one more round trip."""


class PostgresDatabase:
    """One database; ``statement_timeout`` guards the API (5 s) and the workers (60 s).

    ``bell`` says whether emitted events wake the relay of another process, or this one's relay is woken by others.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        context: UnitContext,
        *,
        pool_size: int = 10,
        statement_timeout_ms: int = 5000,
        bell: Bell = "none",
    ) -> None:
        self.url = url
        self.context = context
        self._clock = clock
        self._size = pool_size
        self._timeout = statement_timeout_ms
        self._pool: Any = None
        self._bell = None if bell == "none" else Doorbell(url, self._wake, listens=bell == "listens")

    async def open(self) -> None:
        """Fill the pool; a server that does not answer yet is waited for, for :data:`OPEN_PATIENCE` seconds.

        A hundred processes that end at once because their database starts anew would not help it.
        """
        until = asyncio.get_running_loop().time() + OPEN_PATIENCE
        while self._pool is None:
            try:
                self._pool = await self._filled()
            except _TROUBLE as error:
                log.warning("database_waits", service=self.context.service, error=type(error).__name__)
                if asyncio.get_running_loop().time() > until:
                    raise translate(error) from error
                await asyncio.sleep(OPEN_AGAIN)
        if self._bell is not None:
            self._bell.open()

    async def _filled(self) -> Any:
        return await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=self._size,
            reset=_keep,
            timeout=5,
            command_timeout=self._timeout / 1000 + 5,
            server_settings={
                "application_name": f"wangdian-{self.context.service}",
                "statement_timeout": str(self._timeout),
                "idle_in_transaction_session_timeout": "30000",
                "timezone": "UTC",
            },
        )

    async def close(self) -> None:
        """Close the pool after the running units."""
        if self._bell is not None:
            await self._bell.close()
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def write(self, unit: Callable[[Uow], Awaitable[T]], *, actor: str, brief: bool = False) -> T:
        """Run the unit in a transaction; a deadlock is tried once more from the start."""
        try:
            return await self._write(unit, actor)
        except _TryAgain:
            return await self._write(unit, actor)

    async def _write(self, unit: Callable[[Uow], Awaitable[T]], actor: str) -> T:
        async with self._transaction() as raw:
            connection = PostgresConnection(raw)
            uow = Uow(connection, self._clock.now(), actor, self.context)
            value = await unit(uow)
            await connection.flush()
        if uow.emitted:
            self._wake()
            if self._bell is not None:
                self._bell.ring()
        return value

    def _wake(self) -> None:
        for wake in self.context.after_emit:
            wake()

    async def time(self) -> datetime:
        """What the server's clock says."""
        return cast(datetime, await self.read(lambda reads: reads.scalar(_TIME)))

    async def read(self, unit: Callable[[Reads], Awaitable[T]]) -> T:
        """Run the unit in a read-only transaction on one snapshot."""
        async with self._transaction(isolation="repeatable_read", readonly=True) as raw:
            return await unit(Reads(PostgresConnection(raw), self._clock.now()))

    @asynccontextmanager
    async def _transaction(self, **options: Any) -> AsyncIterator[Any]:
        """A connection in a transaction. The unit's own errors pass as they are: an ``OSError`` of a handler is its
        fault and not the database's."""
        mine: BaseException | None = None
        try:
            async with self._require().acquire(timeout=10) as raw, raw.transaction(**options):
                try:
                    yield raw
                except BaseException as error:
                    mine = error
                    raise
        except _FAULTS as error:
            if error is mine:
                raise
            raise translate(error) from error

    def _require(self) -> Any:
        if self._pool is None:
            raise DatabaseUnavailable("the database is not open")
        return self._pool
