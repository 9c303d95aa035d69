"""A database with nothing but the kit's tables."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.clock import FixedClock
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import KIT
from shared.db.uow import UnitContext
from shared.directory import tables as _tables  # noqa: F401 - they register themselves with KIT

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def db(tmp_path: Path, clock: FixedClock) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "replica.sqlite3"
    engine = sa.create_engine(f"sqlite:///{path}")
    KIT.create_all(engine)
    engine.dispose()
    database = SqliteDatabase(path, clock, UnitContext("queue"))
    await database.open()
    yield database
    await database.close()
