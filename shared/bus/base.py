"""The port of the bus: topics of partitions of records with offsets, as Kafka has them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Message:
    """A record to send; equal keys share a partition."""

    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes


class Record(NamedTuple):
    """A record as read."""

    offset: int
    headers: Mapping[str, str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in order; ``start`` is the position before them (offsets may have gaps),
    ``high_water`` the offset after the partition's newest record."""

    source: TopicPartition
    log: str
    start: int
    records: Sequence[Record]
    high_water: int


class BusUnavailable(Exception):
    """The bus cannot be reached or does not take the record now; try again later."""


class BusForbidden(BusUnavailable):
    """The bus knows this principal and forbids it ``operation`` on ``names`` (topics, or a group): a right is missing.

    No waiting helps: unlike an outage it is a fault to be told aloud. ``wangdian provision`` grants what is declared.
    """

    def __init__(self, operation: str, names: Iterable[str]) -> None:
        self.operation = operation
        self.names = tuple(sorted(set(names)))
        super().__init__(f"not authorised to {operation} {', '.join(self.names)}")


class LogChanged(Exception):
    """The topic is not the log that the stored offset belongs to; ``wangdian events resync`` decides what to do."""

    def __init__(self, source: TopicPartition, detail: str) -> None:
        super().__init__(f"{source.topic}[{source.partition}]: {detail}")
        self.source = source


class OffsetOutOfRange(LogChanged):
    """The stored offset is not in the log any more, or not yet."""


class Position(NamedTuple):
    """Where to go on reading: the next offset and the identity of the log it belongs to ('' when never read)."""

    next: int
    log: str


class Extent(NamedTuple):
    """What a partition holds: from the offset ``first`` to before ``end``, in this log."""

    first: int
    end: int
    log: str


Assigned = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, Position]]]


class Subscription(Protocol):
    """A member of a consumer group. Offsets are kept by the caller, in its own database."""

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that are this member's now."""
        ...

    async def fetch(self, *, limit: int, wait: float) -> Sequence[Batch]:
        """The next records after the positions, at most ``limit`` a partition; waits ``wait`` seconds at most."""
        ...

    def rewind(self) -> None:
        """Forget the positions in memory: the next fetch asks for the stored ones again and goes on from there."""
        ...

    async def seek(self, source: TopicPartition, position: Position) -> None:
        """Go on from ``position``; raises :class:`LogChanged` when that is not in the log."""
        ...

    async def done(self, source: TopicPartition, next_offset: int) -> None:
        """Everything before ``next_offset`` has had its effect (for lag tools only)."""
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class Bus(Protocol):
    """One connection to the bus."""

    async def open(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """Send what is pending and disconnect."""
        ...

    async def publish(self, messages: Sequence[Message]) -> Sequence[Exception | None]:
        """Send in order; one outcome per message, None when it is durable on the bus.

        A message that is not taken holds up the later ones of its topic and key, whose outcome is then an error too:
        they may not overtake it. It does not hold up the others.
        """
        ...

    async def extents(self, topics: Sequence[str]) -> Mapping[TopicPartition, Extent]:
        """What every partition of those of ``topics`` that exist holds.

        Raises :class:`BusUnavailable`.
        """
        ...

    async def subscribe(self, group: str, topics: Sequence[str], assigned: Assigned) -> Subscription:
        """Join ``group``; ``assigned`` gives the stored position of each partition that becomes this member's."""
        ...
