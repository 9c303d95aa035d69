"""How many events a second the aggregator folds: the real consumer, handlers and decoding, on either database."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from services.aggregator.metrics import subtotals
from services.aggregator.spec import SPEC
from shared.bus.base import Batch, Record, TopicPartition
from shared.clock import SystemClock
from shared.contracts.queue import (
    Channel,
    VisitCalled,
    VisitCompleted,
    VisitOpened,
    VisitStarted,
    VisitState,
    VisitStatus,
)
from shared.db.database import Database
from shared.db.migrate import migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import consumer_offset
from shared.db.uow import UnitContext
from shared.events.consumer import LIMIT, Consumer
from shared.events.envelope import headers_of
from shared.ids import uuid7
from shared.observability.metrics import Metrics
from shared.testing.bank import learn, unit
from shared.testing.postgres import postgres_for, postgres_server

BRANCHES = 20
CARRY_EVERY = 10
"""Batches between two turns of the loop that carries up: about a second's worth."""
IN_HALL = 40
"""Visits of the bank that are under way at once; their events mix."""

_FORGET = sa.delete(consumer_offset)
_MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
_SERVICES = ("cash", "loan", "wealth", "corporate")


@dataclass(frozen=True, slots=True)
class Rate:
    """One measurement: events over the seconds that passed, and over the processor time of this process."""

    name: str
    events: int
    seconds: float
    processor: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def per_core(self) -> float:
        """Events a second of one core, whatever else this machine did meanwhile."""
        return self.events / self.processor


def _visit(i: int) -> list[VisitState]:
    issued = _MORNING + timedelta(days=i // 8_000, seconds=(i % 8_000) * 3)
    wait, handling = i * 37 % 1_800, 30 + i * 53 % 900
    called, finished = issued + timedelta(seconds=wait), issued + timedelta(seconds=wait + handling)
    base = {
        "visit": uuid7(), "unit": f"branch-{i % BRANCHES}",
        "business_date": date(2026, 3, 2) + timedelta(days=i // 8_000),
        "number": f"A{i % 8_000:04d}", "service": _SERVICES[i % 4], "ticket_class": "vip" if i % 9 == 0 else "ordinary",
        "channel": Channel.KIOSK, "issued_at": issued,
    }  # fmt: skip
    met = base | {"called_at": called, "wait_seconds": wait, "calls": 1, "window": "3", "staff": "T0001"}
    return [
        VisitOpened(**base, status=VisitStatus.WAITING),
        VisitCalled(**met, status=VisitStatus.CALLED),
        VisitStarted(**met, status=VisitStatus.SERVING, started_at=called),
        VisitCompleted(
            **met, status=VisitStatus.SERVED, started_at=called, finished_at=finished, handling_seconds=handling
        ),
    ]


def _record(offset: int, data: VisitState, sequence: int) -> Record:
    headers = headers_of(
        event_id=uuid7(), service="queue", data=data, subject=data.visit, sequence=sequence,
        occurred_at=data.issued_at, recorded_at=data.issued_at, origin="live", traceparent="",
    )  # fmt: skip
    return Record(offset, headers, data.write())


def mixed(visits: int) -> Iterator[tuple[VisitState, int]]:
    """Whole visits, some in the hall at once: what a backlog of live events looks like."""
    hall: list[list[tuple[VisitState, int]]] = []
    for i in range(visits):
        hall.append([(data, n) for n, data in enumerate(_visit(i), start=1)])
        if len(hall) == IN_HALL:
            for step in range(4):
                for visit in hall:
                    yield visit[step]
            hall.clear()


def _apart(visits: int) -> Iterator[tuple[VisitState, int]]:
    """Every event of another visit, each visit met again later: the worst case, nothing can be merged."""
    whole = [_visit(i) for i in range(visits)]
    for step in range(4):
        for visit in whole:
            yield visit[step], step + 1


async def plant(db: Database) -> None:
    """Let the replica know where the branches are: four to a city, two cities to a province."""
    cities = [f"/hq/prov-{i // 8}/city-{i // 4}/" for i in range(BRANCHES)]
    paths = {"/hq/", *cities, *(path.rsplit("/", 2)[0] + "/" for path in cities)}
    paths |= {f"{city}branch-{i}/" for i, city in enumerate(cities)}
    names = {path: path.strip("/").split("/") for path in sorted(paths)}
    await learn(db, *(unit(each[-1], each[-2] if len(each) > 1 else None, path) for path, each in names.items()))
    await db.write(subtotals.place_some, actor="bench")


async def feed(db: Database, told: Sequence[tuple[VisitState, int]], first: int = 0) -> tuple[float, float]:
    """Seconds that the service takes for ``told``, in batches of one partition: passed, and computed.

    All that an event costs is in it: what the consumer does, and what the loop carries up to the units above.
    ``first`` is the offset at which they stand in the partition.
    """
    records = [_record(offset, data, sequence) for offset, (data, sequence) in enumerate(told, start=first)]
    source = TopicPartition("queue.events", 0)
    batches = [
        Batch(source, "log", first + start, records[start : start + LIMIT], first + len(records))
        for start in range(0, len(records), LIMIT)
    ]
    consumer = Consumer("aggregator", db, None, SPEC.all_handlers, Metrics().events, SystemClock())  # type: ignore[arg-type]
    begin, used = time.perf_counter(), time.process_time()
    for i, batch in enumerate(batches, start=1):
        await consumer._handle(batch)
        if i % CARRY_EVERY == 0:
            await db.write(subtotals.carry_up, actor="bench")
    while await db.write(subtotals.carry_up, actor="bench"):
        pass
    return time.perf_counter() - begin, time.process_time() - used


async def bench_aggregator(db: Database, name: str, visits: int = 5_000) -> list[Rate]:
    """Two rates on an open, migrated and empty database: events of visits mixed, and all apart."""
    rates = []
    await plant(db)
    for shape, told in (("mixed", list(mixed(visits))), ("apart", list(_apart(visits)))):
        await db.write(lambda uow: uow.execute(_FORGET), actor="bench")
        rates.append(Rate(f"aggregator.{name}.{shape}", len(told), *await feed(db, told)))
    return rates


async def _on_sqlite() -> list[Rate]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aggregator.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
        return await _measured(SqliteDatabase(path, SystemClock(), UnitContext("aggregator")), "sqlite")


async def _on_postgres(server: str) -> list[Rate]:
    return await _measured(await postgres_for(server, SPEC, SystemClock(), UnitContext("aggregator")), "postgres")


async def _measured(db: Database, name: str) -> list[Rate]:
    await db.open()
    try:
        return await bench_aggregator(db, name)
    finally:
        await db.close()


def run() -> list[Rate]:
    """The rates on SQLite and on PostgreSQL."""
    rates = asyncio.run(_on_sqlite())
    with postgres_server() as server:
        return rates + asyncio.run(_on_postgres(server))


if __name__ == "__main__":
    for rate in run():
        print(f"{rate.name:32} {rate.per_second:10,.0f} events/s {rate.per_core:10,.0f} per core")
