"""A service's database with the replica in it, on both kinds of database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from shared.clock import FixedClock
from shared.db.database import Database
from shared.db.migrate import migrate_postgres, migrate_sqlite
from shared.db.postgres import PostgresDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.testing.postgres import new_database

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MIGRATIONS = "services.staff.migrations"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path, clock: FixedClock) -> AsyncIterator[Database]:
    context = UnitContext("queue")
    if request.param == "postgres":
        url = await new_database(request.getfixturevalue("postgres"))
        await migrate_postgres(url, MIGRATIONS)
        database: Database = PostgresDatabase(url, clock, context)
    else:
        path = tmp_path / "replica.sqlite3"
        migrate_sqlite(path, MIGRATIONS)
        database = SqliteDatabase(path, clock, context)
    await database.open()
    yield database
    await database.close()
