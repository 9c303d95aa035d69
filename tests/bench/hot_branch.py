"""One hot branch: two hundred windows and fifty kiosks at once, on either database."""

import asyncio
import tempfile
from pathlib import Path

import sqlalchemy as sa

from services.queue.tickets.queries import visit
from services.queue.windows.models import Window
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.postgres import PostgresDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.statements import table
from shared.db.uow import UnitContext
from shared.testing.postgres import postgres_server
from tests.bench.rows import Row
from tests.bench.served import Hall, calls, issues, load, prepared, served

WINDOWS, KIOSKS, TICKETS = 200, 50, 40
WRITERS = 40

_window = table(Window)
_TAKEN = sa.select(_window.c.visit).where(_window.c.visit.is_not(None))
_CALLED = sa.select(visit.c.id).where(visit.c.calls > 0)
_NUMBERS = sa.select(visit.c.number).where(visit.c.channel == "kiosk", visit.c.number.not_like("W%"))


async def _doubled(hall: Hall) -> str:
    """What went wrong in the hall, or ''."""
    db: Database = (
        PostgresDatabase(hall.url, SystemClock(), UnitContext("queue"))
        if hall.url
        else SqliteDatabase(hall.folder / "queue.sqlite3", SystemClock(), UnitContext("queue"))
    )
    await db.open()
    try:
        taken = [row.visit for row in await db.read(lambda reads: reads.all(_TAKEN))]
        called = [row.id for row in await db.read(lambda reads: reads.all(_CALLED))]
        numbers = sorted(int(row.number[1:]) for row in await db.read(lambda reads: reads.all(_NUMBERS)))
    finally:
        await db.close()
    if len(set(taken)) != len(taken) or sorted(taken) != sorted(called):
        return "a visit was called twice"
    if numbers != list(range(1, len(numbers) + 1)):
        return "numbers are not unique and without gaps"
    return ""


def _p99(server: str) -> float:
    with tempfile.TemporaryDirectory() as name:
        hall, tokens = prepared(Path(name) / "hall", server, calls=True)
        with served("product", hall) as port:
            result = load(port, calls(tokens, WINDOWS) + issues(tokens, TICKETS, KIOSKS))
        if wrong := asyncio.run(_doubled(hall)):
            raise SystemExit(f"the hot branch: {wrong}")
        return float(result["p99"])


def _fair(server: str, name: str) -> Row:
    """The slowest hundredth of forty kiosks' requests over their median."""
    with tempfile.TemporaryDirectory() as folder:
        hall, tokens = prepared(Path(folder) / "hall", server, calls=False)
        with served("product", hall) as port:
            result = load(port, issues(tokens, TICKETS, WRITERS))
    title = f"{WRITERS} kiosks at once, p99 over p50, {name}"
    return Row(title, float(result["p99"]), "ms", float(result["p50"]), wanted=5, at_most=True)


def _both(server: str, name: str) -> list[Row]:
    hot = f"hot branch of {WINDOWS} windows and {KIOSKS} kiosks, p99, {name}"
    return [Row(hot, _p99(server), "ms"), _fair(server, name)]


def run() -> list[Row]:
    """The slowest hundredth of all requests; any refusal, doubled call or gap fails the bench."""
    rows = _both("", "SQLite")
    with postgres_server() as server:
        return rows + _both(server, "PostgreSQL")


if __name__ == "__main__":
    for row in run():
        print(row.name, round(row.value), row.unit)
