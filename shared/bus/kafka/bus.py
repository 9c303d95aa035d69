"""Apache Kafka behind the port of the bus."""

from collections.abc import Mapping, Sequence

from shared.bus.base import Assigned, BusUnavailable, Extent, Message, TopicPartition
from shared.bus.kafka.connection import KafkaConnection
from shared.bus.kafka.member import KafkaSubscription
from shared.bus.kafka.sender import Sender
from shared.bus.kafka.topics import Topics
from shared.observability.logging import get_logger

log = get_logger("bus")


class KafkaBus:
    """One process's connections to the cluster: a producer, and a member of a group for each subscription.

    ``instance`` makes its members static (KIP-345): a restart within the session does not move partitions. It must
    be this process's alone, and the same after its restart.
    """

    def __init__(self, connection: KafkaConnection, *, instance: str = "") -> None:
        self._connection = connection
        self._instance = instance
        self.topics = Topics(connection)
        self._sender = Sender(connection, self.topics)
        self._members: list[KafkaSubscription] = []

    async def open(self) -> None:
        """See that the cluster takes us.

        Raises :class:`~shared.bus.kafka.connection.BusRefused` when it never will. A cluster that does not answer is
        no reason not to serve: what is sent waits in the outbox until it does.
        """
        try:
            await self._connection.probe()
        except BusUnavailable as error:
            log.error("bus_unreachable", error=type(error.__cause__ or error).__name__)

    async def close(self) -> None:
        """Leave all groups, send what is pending and disconnect."""
        for member in self._members:
            await member.close()
        self._members.clear()
        await self._sender.close()
        await self.topics.close()
        await self._connection.drain()

    async def publish(self, messages: Sequence[Message]) -> Sequence[Exception | None]:
        """Send in order; one outcome per message, None when all in-sync replicas have it."""
        if not messages:
            return []
        try:
            return await self._sender.send(messages)
        except BusUnavailable as error:
            return [error] * len(messages)

    async def extents(self, topics: Sequence[str]) -> Mapping[TopicPartition, Extent]:
        """What every partition of those of ``topics`` that exist holds; raises :class:`BusUnavailable`."""
        known = await self.topics.describe(topics)
        sources = [
            TopicPartition(name, number) for name, topic in known.items() for number in range(len(topic.leaders))
        ]
        bounds = await self.topics.bounds(sources, known)
        return {source: Extent(found.first, found.end, known[source.topic].id) for source, found in bounds.items()}

    async def subscribe(self, group: str, topics: Sequence[str], assigned: Assigned) -> KafkaSubscription:
        """Join ``group``; raises :class:`BusUnavailable` when a topic does not exist or the cluster does not answer."""
        self._members = [member for member in self._members if not member.closed]
        instance = f"{self._instance}.{group}" if self._instance else None
        member = KafkaSubscription(self._connection, self.topics, group, topics, assigned, instance)
        self._members.append(member)
        try:
            await member.start()
        except BaseException:
            await member.close()
            raise
        return member
