"""The aggregator's consumer on a real Kafka and PostgreSQL against bare loops that only fetch and decode its records.

The first floor makes of each record the event that it is (attributes from headers, validated data), as whoever wants to
know what it says must; the second only parses the JSON. All run as our processes do: on their loop, with their
collector.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from services.aggregator.metrics import subtotals
from services.aggregator.spec import SPEC
from services.commands.ports import settle
from shared.bus.base import Message
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.connection import KafkaConnection
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.uow import UnitContext
from shared.events.consumer import LIMIT, Consumer
from shared.events.envelope import decode, headers_of
from shared.ids import uuid7
from shared.observability.metrics import Metrics
from shared.testing.kafka import Kafka, kafka_server
from shared.testing.postgres import postgres_for, postgres_server
from tests.bench.aggregator import CARRY_EVERY, mixed, plant
from tests.bench.rows import Row

EVENTS, ROUNDS, PARTITIONS, CHUNK = 20_000, 7, 3, 1_000
TOPIC = "queue.events"
DEADLINE = 120.0
_KINDS = {kind.event_type: kind for handler in SPEC.all_handlers for kind in handler.kinds}
Decode = Callable[[Any], object]


def _event(record: Any) -> object:
    headers = {name: value.decode() for name, value in record.headers}
    return decode(headers, record.value, _KINDS[headers["ce_type"]])


def _json(record: Any) -> object:
    return json.loads(record.value)


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


async def _bare(server: Kafka, read: Decode) -> float:
    """Events a second of one core of a bare loop."""
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, enable_auto_commit=False)
    await consumer.start()
    partitions = [KafkaPartition(TOPIC, i) for i in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    taken, used, until = 0, time.process_time(), time.monotonic() + DEADLINE
    while taken < EVENTS and time.monotonic() < until:
        for records in (await consumer.getmany(timeout_ms=500, max_records=LIMIT)).values():
            for record in records:
                read(record)
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


async def _postgres(server: Kafka, postgres: str) -> float:
    return await _ours(server, await postgres_for(postgres, SPEC, SystemClock(), UnitContext("aggregator")))


def _run(work: Coroutine[Any, Any, float]) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def run() -> list[Row]:
    """Events a second of one core, by medians of interleaved rounds."""
    with postgres_server() as postgres, kafka_server() as kafka:
        asyncio.run(_fill(kafka))
        _run(_postgres(kafka, postgres))
        settle()
        rounds = [
            (_run(_postgres(kafka, postgres)), _run(_bare(kafka, _event)), _run(_bare(kafka, _json)))
            for _ in range(ROUNDS)
        ]
    ours, event, plain = (statistics.median(each) for each in zip(*rounds, strict=True))
    name, unit = "aggregator from Kafka to PostgreSQL / bare getmany and", "events/s of one core"
    return [Row(f"{name} decode", ours, unit, event, 0.5), Row(f"{name} json.loads", ours, unit, plain)]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name} {row.value:,.0f} {row.floor:,.0f} {row.ratio:.2f}")
