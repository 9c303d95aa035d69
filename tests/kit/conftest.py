"""Databases of the tally, the kit's own little service, on SQLite and on PostgreSQL."""

import asyncio
import shutil
from datetime import UTC, datetime

import pytest

from shared.clock import FixedClock
from shared.db.migrate import migrate_postgres, migrate_sqlite
from shared.db.postgres import PostgresDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.testing.postgres import new_database
from shared.testing.tally.spec import SPEC

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated file to copy; copies that are not there cannot be dirty."""
    path = tmp_path_factory.mktemp("template") / "tally.sqlite3"
    migrate_sqlite(path, SPEC.migrations)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres):
    """A server, and the URL of a migrated database on it to make others from."""

    async def make():
        url = await new_database(postgres)
        await migrate_postgres(url, SPEC.migrations)
        return postgres, url

    return asyncio.run(make())


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request):
    """Both databases, one after the other."""
    return request.param


@pytest.fixture
def template(dialect, request):
    """What a new database is copied from. (Not asked for within the loop: making it needs one of its own.)"""
    return request.getfixturevalue(f"{dialect}_template")


@pytest.fixture
def noon():
    """A clock in the test's hands."""
    return FixedClock(NOON)


@pytest.fixture
async def make_db(dialect, template, tmp_path, noon):
    """Makes open, migrated databases of the tally; a second call with the first's URL is a second member on it."""
    opened = []

    async def make(url=None, *, clock=None, context=None, **options):
        context, clock = context or UnitContext("tally"), clock or noon
        if dialect == "sqlite":
            path = tmp_path / f"db{len(opened)}" / "tally.sqlite3"
            if url is None:
                path.parent.mkdir()
                shutil.copy(template, path)
            db = SqliteDatabase(path if url is None else type(path)(url.removeprefix("sqlite:///")), clock, context)
        else:
            if url is None:
                url = await new_database(*template)
            db = PostgresDatabase(url, clock, context, **options)
        await db.open()
        opened.append(db)
        return db

    yield make
    for db in opened:
        await db.close()


@pytest.fixture
async def store(make_db):
    """One open database of the tally."""
    return await make_db()
