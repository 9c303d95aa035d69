"""What Kafka's brokers do by themselves, done for the embedded log: old records go, compacted keys keep the newest."""

from datetime import timedelta

from shared.bus.embedded import EmbeddedBus
from shared.topics import COMPACT_AFTER_DAYS, TOPICS


async def tidy(bus: EmbeddedBus) -> int:
    """One round over all topics; returns how much was dropped. Checkpoints of the audit log are kept for ever."""
    dropped = 0
    for topic in TOPICS:
        if topic.compacted:
            dropped += await bus.compact(topic.name, timedelta(days=COMPACT_AFTER_DAYS))
        elif topic.keep_days is not None:
            dropped += await bus.expire(topic.name, timedelta(days=topic.keep_days))
    return dropped
