"""Whether an event costs the same after a million of them as after a hundred thousand: the aggregator on SQLite."""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

from services.aggregator.spec import SPEC
from shared.clock import SystemClock
from shared.db.migrate import migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from tests.bench.aggregator import feed, mixed, plant
from tests.bench.rows import Row

EARLY, ROUNDS, CHUNK = 100_000, 5, 20_000


class Bank:
    """A bank whose events are told one after the other."""

    def __init__(self, db: SqliteDatabase) -> None:
        self._db, self._told, self._events = db, 0, mixed(1 << 30)

    async def hear(self, count: int) -> float:
        """Microseconds of processor time for each of the next ``count`` events."""
        told = list(islice(self._events, count))
        _, used = await feed(self._db, told, self._told)
        self._told += count
        return used / count * 1e6


@asynccontextmanager
async def _bank(events: int) -> AsyncIterator[Bank]:
    """A bank that has heard ``events`` already."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aggregator.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
        db = SqliteDatabase(path, SystemClock(), UnitContext("aggregator"))
        await db.open()
        try:
            await plant(db)
            bank = Bank(db)
            for _ in range(events // CHUNK):
                await bank.hear(CHUNK)
            yield bank
        finally:
            await db.close()


async def _costs(total: int) -> tuple[float, float]:
    """What an event costs (early, late), by medians of interleaved rounds: this machine is not as fast at all times."""
    async with _bank(total - ROUNDS * CHUNK) as old, _bank(EARLY) as young:
        rounds = [(await young.hear(CHUNK), await old.hear(CHUNK)) for _ in range(ROUNDS)]
    early, late = (statistics.median(each) for each in zip(*rounds, strict=True))
    return early, late


def run(total: int = 1_000_000) -> list[Row]:
    """What an event costs up to the ``total``-th one, over what it costs after the first hundred thousand."""
    early, late = asyncio.run(_costs(total))
    name = f"cost of an event after {total:,} / after {EARLY:,}"
    return [Row(name, late, "µs of one core", early, 1.1, at_most=True)]


if __name__ == "__main__":
    for row in run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(f"{row.name}: {row.value:.1f} {row.unit}, floor {row.floor:.1f}, ratio {row.ratio:.2f}")
