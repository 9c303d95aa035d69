"""SQLite as the driver gives it: connections with the house's settings, its errors in the kit's words."""

import sqlite3
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.db.errors import DatabaseError, DatabaseUnavailable, IntegrityViolation, UniqueConflict, ValueRefused
from shared.db.statements import SQLITE, Compiler, Row, Rows, Statement

T = TypeVar("T")

BUSY_SECONDS = 10
"""How long a statement waits for another process's lock: an operator's shell, a backup."""

_compile = Compiler(SQLITE)


def connect(path: Path | str, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection with the house's settings; transactions are ours (``isolation_level=None``)."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS, cached_statements=512
    )
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

    async def later(self, statement: Statement, params: Mapping[str, Any]) -> None:
        """Run at once: there is no round trip to save."""
        await self.run(statement, params)

    async def run_many(self, statement: Statement, rows: Rows, *, distinct: bool) -> None:
        """Run once per row."""
        prepared = _compile(statement)
        try:
            self.raw.executemany(prepared.sql, zip(*prepared.columns(rows), strict=True))
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
