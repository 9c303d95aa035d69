"""A service's database with the kit's tables, on SQLite."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.clock import FixedClock
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import KIT
from shared.db.uow import UnitContext
from shared.security import audit_models  # noqa: F401 - defines the audit tables
from shared.security.keyring import FileKeySource, Keyring
from shared.security.records import RecordKeys

START = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def source(tmp_path: Path) -> FileKeySource:
    return FileKeySource(tmp_path / "keys")


@pytest.fixture
def keyring(source: FileKeySource) -> Keyring:
    return Keyring(source)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "staff.sqlite3"


@pytest.fixture
async def db(file: Path, clock: FixedClock, keyring: Keyring) -> AsyncIterator[SqliteDatabase]:
    engine = sa.create_engine(f"sqlite:///{file}")
    KIT.create_all(engine)
    engine.dispose()
    database = SqliteDatabase(file, clock, UnitContext("staff", RecordKeys(keyring)))
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def sql(file: Path, db: SqliteDatabase) -> Callable[..., list[Any]]:
    """Runs SQL beside the product, as somebody with the database's password can."""

    def run(statement: str, *parameters: Any) -> list[Any]:
        raw = sqlite3.connect(file)
        try:
            with raw:
                return raw.execute(statement, parameters).fetchall()
        finally:
            raw.close()

    return run
