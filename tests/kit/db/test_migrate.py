"""Migrations: the kit's branch and a service's own, up and down, on both databases."""

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.util.exc import CommandError
from sqlalchemy.ext.asyncio import create_async_engine

from services.registry import SERVICES, load
from shared.clock import SystemClock
from shared.db.migrate import applied, drift, heads, migrate_postgres, migrate_sqlite, run
from shared.db.postgres import PostgresDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import KIT
from shared.db.uow import UnitContext
from shared.ids import uuid7
from shared.testing.postgres import new_database
from shared.testing.tally import migrations
from shared.testing.tally.spec import SPEC

NAMES = ["tally", *SERVICES]


def spec_of(name):
    return SPEC if name == "tally" else load([name])[0]


def tables(bind):
    return sorted(set(sa.inspect(bind).get_table_names()) - {"alembic_version"})


def up_down_up(bind, spec):
    """The tables after each step, and the drift at the end."""
    seen = []
    for direction in ("up", "down", "up"):
        run(bind, spec.migrations, direction)
        seen.append(tables(bind))
    return seen, drift(bind, spec.metadata)


@pytest.mark.parametrize("name", NAMES)
async def test_up_from_nothing_down_to_nothing_and_up_again_is_what_the_models_say(dialect, request, tmp_path, name):
    spec = spec_of(name)
    if dialect == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
        with engine.begin() as bind:
            seen, differences = up_down_up(bind, spec)
        engine.dispose()
    else:
        seen, differences = await on_postgres(request, lambda bind: up_down_up(bind, spec))
    assert seen[1] == []
    assert seen[0] == seen[2]
    assert {table.name for source in (KIT, spec.metadata) for table in source.sorted_tables} <= set(seen[0])
    assert differences == []


async def on_postgres(request, work):
    url = await new_database(request.getfixturevalue("postgres"))
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_the_migrations_of_this_build_are_known_to_be_applied(store, dialect):
    assert await applied(store, SPEC.migrations)


async def test_missing_migrations_are_seen(store):
    forget = sa.text("DELETE FROM alembic_version WHERE version_num = 'y0001'")
    await store.write(lambda uow: uow.execute(forget), actor="t")
    assert not await applied(store, SPEC.migrations)


async def test_a_database_newer_than_the_build_is_accepted(store):
    """A replica of the previous build lives on while the next one's migrations are there."""
    newer = sa.text("UPDATE alembic_version SET version_num = 'y9999' WHERE version_num = 'y0001'")
    await store.write(lambda uow: uow.execute(newer), actor="t")
    assert await applied(store, SPEC.migrations)
    if isinstance(store, SqliteDatabase):
        assert migrate_sqlite(store.path, SPEC.migrations) is False


@pytest.fixture
def next_build(tmp_path, monkeypatch):
    """Makes the tally of a later build: its migrations and one more with the given body."""

    def make(body):
        folder = tmp_path / f"tally_{uuid7().replace('-', '')}"
        (folder / "versions").mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        first = Path(str(migrations.__file__)).parent / "versions" / "y0001_tally.py"
        (folder / "versions" / "y0001_tally.py").write_text(first.read_text())
        (folder / "versions" / "y0002_more.py").write_text(
            "from alembic import op\nimport sqlalchemy as sa\n"
            "revision = 'y0002'\ndown_revision = 'y0001'\nbranch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade():\n    op.add_column('total', sa.Column('note', sa.Text))\n    {body}\n\n\n"
            "def downgrade():\n    op.drop_column('total', 'note')\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        return folder.name

    return make


def columns(path):
    with sqlite3.connect(path) as raw:
        found = [row[1] for row in raw.execute("PRAGMA table_info(total)")]
    raw.close()
    return found


@pytest.fixture
def old_file(sqlite_template, tmp_path):
    """A file of this build with something in it."""
    path = tmp_path / "tally.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO total VALUES ('a', 1, 1)")
    raw.close()
    return path


def test_an_embedded_file_is_copied_before_it_is_changed(old_file, next_build, sqlite_template):
    package = next_build("pass")
    assert migrate_sqlite(old_file, package) is True
    backup = old_file.with_name("tally.before-migration.sqlite3")
    assert columns(old_file) == ["name", "amount", "sequence", "note"]
    assert columns(backup) == ["name", "amount", "sequence"]
    with sqlite3.connect(backup) as raw:
        assert raw.execute("SELECT name FROM total").fetchall() == [("a",)]
    raw.close()
    assert migrate_sqlite(old_file, package) is False


def test_nothing_to_migrate_makes_no_copy(old_file):
    assert migrate_sqlite(old_file, SPEC.migrations) is False
    assert not list(old_file.parent.glob("*before-migration*"))


def test_a_migration_that_fails_half_way_leaves_the_file_as_it_was(old_file, next_build):
    with pytest.raises(ZeroDivisionError):
        migrate_sqlite(old_file, next_build("1 / 0"))
    assert columns(old_file) == ["name", "amount", "sequence"]
    with sqlite3.connect(old_file) as raw:
        assert ("y0001",) in raw.execute("SELECT version_num FROM alembic_version").fetchall()
    raw.close()


async def test_a_migration_gives_up_on_a_lock_instead_of_stopping_the_counter(postgres, next_build):
    url = await new_database(postgres)
    await migrate_postgres(url, SPEC.migrations)
    package = next_build("pass")
    busy = await asyncpg.connect(url)
    async with busy.transaction():
        await busy.execute("LOCK TABLE total IN ACCESS SHARE MODE")
        begun = asyncio.get_running_loop().time()
        with pytest.raises(sa.exc.DBAPIError):
            await migrate_postgres(url, package)
        assert 1 < asyncio.get_running_loop().time() - begun < 6
    await busy.close()
    await migrate_postgres(url, package)
    db = PostgresDatabase(url, SystemClock(), UnitContext("tally"))
    await db.open()
    assert await applied(db, package)
    assert await applied(db, SPEC.migrations)
    await db.close()


def test_both_branches_have_one_head():
    assert len(heads(SPEC.migrations)) == 2
    with pytest.raises((CommandError, ModuleNotFoundError)):
        heads("services.nothing.migrations")
