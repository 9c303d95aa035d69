"""The aggregator's consumer on a real Kafka against a bare loop that only fetches and decodes the same records."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from services.aggregator.metrics import subtotals
from services.aggregator.spec import SPEC
from shared.bus.base import Message
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.connection import KafkaConnection
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.migrate import migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.events.consumer import LIMIT, Consumer
from shared.events.envelope import headers_of
from shared.ids import uuid7
from shared.observability.metrics import Metrics
from shared.testing.kafka import Kafka, kafka_server
from shared.testing.postgres import postgres_for, postgres_server
from tests.bench.aggregator import CARRY_EVERY, mixed, plant
from tests.bench.rows import Row

EVENTS, ROUNDS, PARTITIONS, CHUNK = 20_000, 3, 3, 1_000
TOPIC = "queue.events"
DEADLINE = 120.0
WHY = (
    "the bare loop throws away what it has read, for some 13 µs an event. Half its speed leaves 13 µs more, and an "
    "event is a third of a fact, a cell and what is carried up: more than two rows of a database."
)


async def _fill(server: Kafka) -> None:
    """Put the events on the topic."""
    for topic in sorted(SPEC.subscribes):
        await server.make(topic, partitions=PARTITIONS)
    bus = KafkaBus(KafkaConnection(server.bootstrap))
    await bus.open()
    messages = []
    for data, sequence in mixed(EVENTS // 4):
        headers = headers_of(
            event_id=uuid7(), service="queue", data=data, subject=data.visit, sequence=sequence,
            occurred_at=data.issued_at, recorded_at=data.issued_at, origin="live", traceparent="",
        )  # fmt: skip
        messages.append(Message(TOPIC, data.visit, headers, data.write()))
    for start in range(0, len(messages), CHUNK):
        assert not any(await bus.publish(messages[start : start + CHUNK]))
    await bus.close()


async def _bare(server: Kafka) -> float:
    """Events a second of one core of the bare loop."""
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, enable_auto_commit=False)
    await consumer.start()
    partitions = [KafkaPartition(TOPIC, i) for i in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    taken, used, until = 0, time.process_time(), time.monotonic() + DEADLINE
    while taken < EVENTS and time.monotonic() < until:
        for records in (await consumer.getmany(timeout_ms=500, max_records=LIMIT)).values():
            for record in records:
                json.loads(record.value)
            taken += len(records)
    used = time.process_time() - used
    await consumer.stop()
    return taken / used


async def _ours(server: Kafka, db: Database) -> float:
    """Events a second of one core of the service's consumer, with what is carried up."""
    await db.open()
    await plant(db)
    bus = KafkaBus(KafkaConnection(server.bootstrap))
    await bus.open()
    consumer = Consumer("aggregator", db, bus, SPEC.all_handlers, Metrics().events, SystemClock())
    await consumer.start()
    taken, batches, used, until = 0, 0, time.process_time(), time.monotonic() + DEADLINE
    while taken < EVENTS and time.monotonic() < until:
        done = await consumer.turn(0.5)
        taken, batches = taken + done, batches + (done > 0)
        if done and batches % CARRY_EVERY == 0:
            await db.write(subtotals.carry_up, actor="bench")
    while await db.write(subtotals.carry_up, actor="bench"):
        pass
    used = time.process_time() - used
    await consumer.stop()
    await bus.close()
    await db.close()
    return taken / used


async def _sqlite(server: Kafka) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aggregator.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
        return await _ours(server, SqliteDatabase(path, SystemClock(), UnitContext("aggregator")))


async def _postgres(server: Kafka, postgres: str) -> float:
    return await _ours(server, await postgres_for(postgres, SPEC, SystemClock(), UnitContext("aggregator")))


def run() -> list[Row]:
    """Events a second of one core, by medians of interleaved rounds."""
    with postgres_server() as postgres, kafka_server() as kafka:
        asyncio.run(_fill(kafka))
        rounds = [
            (asyncio.run(_bare(kafka)), asyncio.run(_sqlite(kafka)), asyncio.run(_postgres(kafka, postgres)))
            for _ in range(ROUNDS)
        ]
    bare, *ours = (statistics.median(each) for each in zip(*rounds, strict=True))
    return [
        Row(
            f"aggregator from Kafka, {name} / bare getmany and decode",
            value,
            "events/s of one core",
            bare,
            0.5,
            note=WHY,
        )
        for name, value in zip(("sqlite", "postgres"), ours, strict=True)
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name} {row.value:,.0f} {row.floor:,.0f} {row.ratio:.2f}")
