"""Topics are data: what exists on the bus, with Kafka's settings for production."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its partitions in production, how long it is kept, or compacted."""

    name: str
    partitions: int
    keep_days: int | None
    compacted: bool = False


COMPACT_AFTER_DAYS = 7
"""A compacted topic keeps every record for so long, so that a reader that is away sees each change."""

TOPICS: tuple[Topic, ...] = (
    Topic("queue.events", 48, 14),
    Topic("surveys.events", 24, 14),
    Topic("staff.directory", 24, None, compacted=True),
    Topic("audit.checkpoints", 3, None),
)
