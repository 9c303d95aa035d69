"""Whether an event costs the same after a million of them as after a hundred thousand: the aggregator on SQLite."""

import asyncio
import statistics
import sys
import tempfile
from itertools import islice
from pathlib import Path

from services.aggregator.spec import SPEC
from shared.clock import SystemClock
from shared.db.migrate import migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from tests.bench.aggregator import feed, mixed, plant
from tests.bench.rows import Row

WINDOW = 100_000


async def _windows(total: int) -> list[float]:
    """Microseconds of processor time for an event, in each window of the run."""
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aggregator.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
        db = SqliteDatabase(path, SystemClock(), UnitContext("aggregator"))
        await db.open()
        try:
            await plant(db)
            events = mixed(total // 4 + WINDOW)
            for start in range(0, total, WINDOW):
                told = list(islice(events, WINDOW))
                _, used = await feed(db, told, start)
                costs.append(used / len(told) * 1e6)
        finally:
            await db.close()
    return costs


def run(total: int = 1_000_000) -> list[Row]:
    """The median of the last three windows against that of three early ones (the first warms up)."""
    costs = asyncio.run(_windows(total))
    early, late = statistics.median(costs[1:4]), statistics.median(costs[-3:])
    name = f"cost of an event after {total:,} / after {WINDOW:,}"
    return [Row(name, late, "µs of one core", early, 1.1, at_most=True)]


if __name__ == "__main__":
    for row in run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(f"{row.name}: {row.value:.1f} {row.unit}, floor {row.floor:.1f}, ratio {row.ratio:.2f}")
