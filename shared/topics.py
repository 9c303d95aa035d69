"""Topics are data: what exists on the bus, with Kafka's settings for production."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its partitions in production, how long it is kept, or compacted."""

    name: str
    partitions: int
    keep_days: int | None
    compacted: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic("queue.events", 48, 14),
    Topic("surveys.events", 24, 14),
    Topic("staff.directory", 24, None, compacted=True),
    Topic("audit.checkpoints", 3, None),
)
