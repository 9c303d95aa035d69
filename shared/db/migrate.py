"""Migrations: the kit's branch and the service's own branch, applied together to one database.

Embedded mode migrates at start, after copying the file; distributed mode never does: ``wangdian migrate SERVICE`` is a
job of its own. Readiness asks that *my* revisions have been applied, not that they are the newest, so that replicas of
the previous build live through a rollout.
"""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.database import Database
from shared.db.tables import KIT
from shared.db.uow import Reads

KIT_PACKAGE = "shared.db.migrations"
LOCK_TIMEOUT_MS = 2000


def _folder(package: str) -> str:
    module = import_module(package)
    return str(Path(str(module.__file__)).parent)


def _config(package: str) -> Config:
    kit, own = _folder(KIT_PACKAGE), _folder(package)
    config = Config()
    config.set_main_option("script_location", kit)
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{kit}/versions\n{own}/versions")
    return config


def heads(package: str) -> frozenset[str]:
    """The revisions that this build needs: the newest of both branches."""
    return frozenset(ScriptDirectory.from_config(_config(package)).get_heads())


def revisions(package: str) -> frozenset[str]:
    """Every revision that this build knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config(package)).walk_revisions())


def _naming(bind: sa.Connection, package: str) -> tuple[Config, Callable[..., Any]]:
    config = _config(package)
    config.attributes["connection"] = bind
    return config, command.upgrade


def run(bind: sa.Connection, package: str, direction: str = "up", target: str = "heads") -> None:
    """Upgrade to ``target`` or downgrade to it (``base``) on an open connection."""
    config, _ = _naming(bind, package)
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
    """Bring one SQLite file to this build's revisions, keeping a copy before any change; returns whether it changed."""
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        fresh = not path.exists()
        with engine.connect() as probe:
            current = frozenset(MigrationContext.configure(probe).get_current_heads())
        if heads(package) <= current | _ancestors(package, current):
            return False
        if not fresh:
            _copy(path)
        with engine.begin() as bind:
            run(bind, package)
        return True
    finally:
        engine.dispose()


def _ancestors(package: str, current: frozenset[str]) -> frozenset[str]:
    known = revisions(package)
    script = ScriptDirectory.from_config(_config(package))
    found: set[str] = set()
    for head in current & known:
        found |= {item.revision for item in script.iterate_revisions(head, "base")}
    # A revision that this build does not know is a newer build's: what this build needs lies below it.
    return frozenset(known if current - known else found)


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

    current = frozenset(row.version_num for row in await db.read(ask))
    return heads(package) <= current | _ancestors(package, current)


def drift(bind: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    """Differences between the migrated schema and the models; empty when they agree."""
    import shared.directory.tables
    import shared.security.audit_models  # noqa: F401 - their tables belong to the kit's metadata

    context = MigrationContext.configure(bind, opts={"compare_type": False})
    both = sa.MetaData()
    for source in (KIT, metadata):
        for item in source.sorted_tables:
            item.to_metadata(both)
    return list(compare_metadata(context, both))
