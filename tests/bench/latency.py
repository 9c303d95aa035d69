"""From commit to the visible metric on the distributed pair: steady events through outbox, relay, Kafka and consumer.

The events are committed as the queue's API commits them, from another process than the relay's; the delay is what the
aggregator's worker measures, from the producer's time to its own commit.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from services.registry import SERVICES
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from shared.db.uow import UnitContext, Uow
from shared.events.outgoing import Outgoing
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.stack.stack import Stack
from tests.bench.aggregator import mixed
from tests.bench.rows import Row

EVENTS_PER_SECOND, SECONDS, A_UNIT = 500, 60, 10
CATCH_UP = 30.0

Histogram = dict[float, float]


def delays(page: str) -> Histogram:
    """Upper bounds and cumulative counts of the delays on a page of metrics."""
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(page)
        if family.name == "wangdian_event_delay_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }


def quantile(counts: Histogram, q: float) -> float:
    """The quantile of a cumulative histogram, linear within its bucket, as Prometheus has it."""
    bounds = sorted(counts)
    rank, below, low = q * counts[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == float("inf"):
                return low
            inside = counts[bound] - below
            return low + (bound - low) * ((rank - below) / inside if inside else 0.0)
        below, low = counts[bound], bound
    return low


async def _commit(url: str, events: Iterable[Outgoing]) -> int:
    """Commit the events steadily, in units of a few; gives how many were committed in time."""
    db = PostgresDatabase(url, SystemClock(), UnitContext("queue"), bell="rings")
    await db.open()
    told = 0
    try:
        source = iter(events)
        begin = time.perf_counter()
        for turn in range(EVENTS_PER_SECOND * SECONDS // A_UNIT):
            await asyncio.sleep(max(0.0, begin + turn * A_UNIT / EVENTS_PER_SECOND - time.perf_counter()))
            unit = [next(source) for _ in range(A_UNIT)]

            async def tell(uow: Uow, unit: list[Outgoing] = unit) -> None:
                await uow.emit_many([Outgoing(each.data, each.subject, uow.now, each.origin) for each in unit])

            await db.write(tell, actor="bench")
            told += A_UNIT
    finally:
        await db.close()
    return told


def _largest(stack: Stack) -> float:
    """Megabytes in memory of the largest process that is ours."""
    ours = [child for name, child in stack.children.items() if name.partition(" ")[0] in SERVICES]
    return max(psutil.Process(child.pid).memory_info().rss for child in ours) / 1e6


def run() -> list[Row]:
    """The quantiles of the delay, while the whole system runs on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), PORT=free_port(), example_bank=False)
        with Stack(list(SERVICES), settings, say=lambda line: sys.stderr.write(line + "\n")) as stack:
            idle = _largest(stack)
            page = f"{stack.operator_url('aggregator')}/metrics"
            before = delays(httpx.get(page).text)
            now = SystemClock().now()
            events = (
                Outgoing(data, data.visit, now, "live") for data, _ in mixed(EVENTS_PER_SECOND * SECONDS // 4 + 200)
            )
            told = asyncio.run(_commit(stack.database_url("queue"), events))
            after: Histogram = {}
            until = time.monotonic() + CATCH_UP
            while time.monotonic() < until:
                after = {bound: count - before.get(bound, 0.0) for bound, count in delays(httpx.get(page).text).items()}
                if after.get(float("inf"), 0.0) >= told:
                    break
                time.sleep(0.2)
            loaded = _largest(stack)
    if after.get(float("inf"), 0.0) < told:
        raise SystemExit("the aggregator did not hear every event")
    return [
        Row("commit to metric at 500 events/s, p50", quantile(after, 0.5) * 1000, "ms", wanted=150, at_most=True),
        Row("commit to metric at 500 events/s, p99", quantile(after, 0.99) * 1000, "ms", wanted=1000, at_most=True),
        Row("largest of our processes, idle", idle, "MB", wanted=150, at_most=True),
        Row("largest of our processes after the load", loaded, "MB", wanted=250, at_most=True),
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:45} {row.value:8.1f} {row.unit} aim {row.wanted}")
