"""Topics are data: what exists on the bus, with Kafka's settings for production.

``deploy/kafka/topics.yaml`` is generated from here for those who provision the cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_MESSAGE = 1 << 18
"""Bytes that one event may have on the bus, with its headers."""
DAY_MS = 86_400_000
COMPACT_AFTER_DAYS = 7
"""A compacted topic keeps every record for so long, so that a reader that is away sees each change."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its partitions in production, how long it is kept, or compacted."""

    name: str
    partitions: int
    keep_days: int | None
    compacted: bool = False

    def settings(self, replication: int) -> Mapping[str, str]:
        """Kafka's settings of the topic on a cluster that keeps ``replication`` copies."""
        compaction = {"min.compaction.lag.ms": str(COMPACT_AFTER_DAYS * DAY_MS)} if self.compacted else {}
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            **compaction,
            "retention.ms": str(-1 if self.keep_days is None else self.keep_days * DAY_MS),
            "max.message.bytes": str(MAX_MESSAGE),
            "min.insync.replicas": str(max(1, replication - 1)),
            "unclean.leader.election.enable": "false",
            "compression.type": "producer",
        }


TOPICS: tuple[Topic, ...] = (
    Topic("queue.events", 48, 14),
    Topic("surveys.events", 24, 14),
    Topic("staff.directory", 24, None, compacted=True),
    Topic("audit.checkpoints", 3, None),
)
