"""Migrations: the kit's branch and the service's own branch, applied together to one database.

Embedded mode migrates at start, after copying the file; distributed mode never does: ``wangdian migrate SERVICE`` is a
job of its own. Readiness asks that *my* revisions have been applied, not that they are the newest, so that replicas of
the previous build live through a rollout.
"""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from shared.db.database import Database
from shared.db.revisions import KIT_PACKAGE, folder, heads, satisfied
from shared.db.tables import KIT
from shared.db.uow import Reads

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_TIMEOUT_MS = 2000


def _config(package: str) -> "Config":
    from alembic.config import Config

    kit, own = folder(KIT_PACKAGE), folder(package)
    config = Config()
    config.set_main_option("script_location", str(kit))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{kit}/versions\n{own}/versions")
    return config


def run(bind: sa.Connection, package: str, direction: str = "up", target: str = "heads") -> None:
    """Upgrade to ``target`` or downgrade to it (``base``) on an open connection."""
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(package)
    config.attributes["connection"] = bind
    if direction == "up":
        command.upgrade(config, target)
    else:
        # Two independent branches: each goes down on its own.
        script = ScriptDirectory.from_config(config)
        for head in script.get_heads():
            revision = script.get_revision(head)
            label = next(iter(revision.branch_labels)) if revision is not None and revision.branch_labels else head
            command.downgrade(config, f"{label}@base")


def migrate_sqlite(path: Path, package: str) -> bool:
    """Bring one SQLite file to this build's revisions, keeping a copy before any change; returns whether it changed.

    INVARIANT: all of it or nothing, whenever the process is killed
    (tests/chaos/test_killed_migration.py::test_a_killed_migration_leaves_nothing_half_done).
    """
    fresh = not path.exists()
    if not fresh and satisfied(package, _current(path)):
        return False
    if not fresh:
        _copy(path)
    engine = sa.create_engine(f"sqlite:///{path}")
    # The driver would commit each CREATE by itself; a migration that fails half-way must leave nothing.
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda bind: bind.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as bind:
            run(bind, package)
    finally:
        engine.dispose()
    return True


def _current(path: Path) -> frozenset[str]:
    with closing(sqlite3.connect(path)) as raw:
        try:
            return frozenset(row[0] for row in raw.execute("SELECT version_num FROM alembic_version"))
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return frozenset()
            raise


def _copy(path: Path) -> None:
    backup = path.with_suffix(".before-migration.sqlite3")
    source, target = sqlite3.connect(path), sqlite3.connect(backup)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    shutil.copymode(path, backup)


async def migrate_postgres(url: str, package: str, direction: str = "up") -> None:
    """Bring one PostgreSQL database to this build's revisions; gives up on a lock after two seconds, never queues."""
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'"))
            await connection.run_sync(lambda bind: run(bind, package, direction))
    finally:
        await engine.dispose()


_APPLIED = sa.select(sa.table("alembic_version", sa.column("version_num", sa.Text)).c.version_num)


async def applied(db: Database, package: str) -> bool:
    """Whether the database has everything that this build needs."""

    async def ask(reads: Reads) -> Sequence[Any]:
        return await reads.all(_APPLIED)

    return satisfied(package, frozenset(row.version_num for row in await db.read(ask)))


def drift(bind: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    """Differences between the migrated schema and the models; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    import shared.directory.tables
    import shared.security.audit_models  # noqa: F401 - their tables belong to the kit's metadata

    context = MigrationContext.configure(bind, opts={"compare_type": False})
    both = sa.MetaData()
    for source in (KIT, metadata):
        for item in source.sorted_tables:
            item.to_metadata(both)
    return list(compare_metadata(context, both))


__all__ = ["applied", "drift", "heads", "migrate_postgres", "migrate_sqlite", "run"]
