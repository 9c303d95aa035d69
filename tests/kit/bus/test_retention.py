"""The embedded log forgets what Kafka would: old records, and superseded ones of a compacted topic."""

from datetime import timedelta

from shared.bus.base import Message, Position, TopicPartition
from shared.bus.embedded import EmbeddedBus
from shared.bus.retention import tidy
from shared.clock import FixedClock
from shared.testing.system import MORNING
from shared.topics import TOPICS


async def _records(bus, topic):
    async def beginning(sources):
        return {}

    subscription = await bus.subscribe("t", [topic], beginning)
    found = [record.value for batch in await subscription.fetch(limit=100, wait=0) for record in batch.records]
    await subscription.close()
    return found


async def test_old_events_go_and_a_compacted_topic_keeps_the_newest_of_each_key(tmp_path):
    clock = FixedClock(MORNING)
    bus = EmbeddedBus(tmp_path / "bus.sqlite3", clock, [topic.name for topic in TOPICS], 3)
    await bus.open()
    for n in range(3):
        for key in ("a", "b"):
            await bus.publish([Message("staff.directory", key, {}, f"{key}{n}".encode())])
            await bus.publish([Message("queue.events", key, {}, f"{key}{n}".encode())])
    await bus.publish([Message("audit.checkpoints", "queue", {}, b"kept for ever")])
    clock.advance(timedelta(days=15))
    await bus.publish([Message("queue.events", "a", {}, b"new")])
    await tidy(bus)
    assert sorted(await _records(bus, "staff.directory")) == [b"a2", b"b2"]
    assert await _records(bus, "queue.events") == [b"new"]
    assert await _records(bus, "audit.checkpoints") == [b"kept for ever"]
    await bus.close()


async def test_a_reader_goes_on_over_the_gaps_that_compaction_left(tmp_path):
    clock = FixedClock(MORNING)
    bus = EmbeddedBus(tmp_path / "bus.sqlite3", clock, ["staff.directory"], 1)
    await bus.open()
    await bus.publish([Message("staff.directory", "a", {}, str(n).encode()) for n in range(5)])

    async def from_one(sources):
        return {TopicPartition("staff.directory", 0): Position(1, "")}

    subscription = await bus.subscribe("t", ["staff.directory"], from_one)
    clock.advance(timedelta(days=8))
    await bus.compact("staff.directory", timedelta(days=7))
    (batch,) = await subscription.fetch(limit=10, wait=0)
    assert (batch.start, [record.offset for record in batch.records]) == (1, [4])
    await bus.close()
