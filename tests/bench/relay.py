"""The relay from PostgreSQL to Kafka against a bare aiokafka producer that sends the same bytes to the same topic."""

import asyncio
import statistics
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from services.queue.spec import SPEC
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.connection import KafkaConnection
from shared.bus.kafka.sender import BATCH_BYTES, LINGER_MS
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.tables import outbox
from shared.db.uow import UnitContext, Uow
from shared.events.outgoing import Outgoing
from shared.events.relay import Relay
from shared.observability.metrics import Metrics
from shared.testing.kafka import Kafka, kafka_server
from shared.testing.postgres import postgres_for, postgres_server
from shared.topics import TOPICS
from tests.bench.aggregator import mixed
from tests.bench.rows import Row

EVENTS, CHUNK, ROUNDS = 20_000, 1_000, 3
TOPIC = TOPICS[0]


async def _fill(db: Database) -> None:
    now = SystemClock().now()
    told = [Outgoing(data, data.visit, now, "live") for data, _ in mixed(EVENTS // 4)]
    for start in range(0, len(told), CHUNK):
        part = told[start : start + CHUNK]

        async def tell(uow: Uow, part: Sequence[Outgoing] = part) -> None:
            await uow.emit_many(part)

        await db.write(tell, actor="bench")


async def _relayed(db: Database, server: Kafka) -> float:
    bus = KafkaBus(KafkaConnection(server.bootstrap))
    await bus.open()
    relay = Relay("queue", db, bus, Metrics().events)
    await relay.turn()  # connects and takes the lease
    sent, begin = 0, time.perf_counter()
    while done := await relay.turn():
        sent += done
    rate = sent / (time.perf_counter() - begin)
    await bus.close()
    return rate


async def _bare(db: Database, server: Kafka) -> float:
    rows = await db.read(lambda reads: reads.all(outbox.select().order_by(outbox.c.seq)))
    ready = [
        (row.subject.encode(), row.payload, [(name, value.encode()) for name, value in row.headers.items()])
        for row in rows
    ]
    producer = AIOKafkaProducer(
        bootstrap_servers=server.bootstrap, acks="all", enable_idempotence=True, compression_type="zstd",
        linger_ms=LINGER_MS, max_batch_size=BATCH_BYTES,
    )  # fmt: skip
    await producer.start()
    await producer.send_and_wait(TOPIC.name, key=b"k", value=b"v")
    begin = time.perf_counter()
    for start in range(0, len(ready), CHUNK):
        futures = [
            await producer.send(TOPIC.name, key=key, value=value, headers=headers)
            for key, value, headers in ready[start : start + CHUNK]
        ]
        await asyncio.gather(*futures)
    rate = len(ready) / (time.perf_counter() - begin)
    await producer.stop()
    return rate


async def _round(postgres: str, kafka: Kafka) -> tuple[float, float]:
    db = await postgres_for(postgres, SPEC, SystemClock(), UnitContext("queue"))
    await db.open()
    try:
        await _fill(db)
        return await _relayed(db, kafka), await _bare(db, kafka)
    finally:
        await db.close()


def run() -> list[Row]:
    """Events a second that leave the outbox, by medians of interleaved rounds."""
    with postgres_server() as postgres, kafka_server() as kafka:
        asyncio.run(kafka.make(TOPIC.name, partitions=TOPIC.partitions))
        rounds = [asyncio.run(_round(postgres, kafka)) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
    return [Row("relay, PostgreSQL to Kafka / bare aiokafka", ours, "events/s", bare, 0.5)]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name} {row.value:,.0f} {row.floor:,.0f} {row.ratio:.2f}")
