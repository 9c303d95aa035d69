"""What the cluster says about topics: identity, partitions, offsets; and making them from the declared ones."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.offset import OffsetRequest

from shared.bus.base import BusForbidden, BusUnavailable, TopicPartition
from shared.bus.kafka.connection import KafkaConnection, put_away
from shared.bus.kafka.wire import MetadataRequest
from shared.topics import Topic

TIMEOUT = 5.0
UNKNOWN_TOPIC = 3
FORBIDDEN_TOPIC = 29
EXISTS = 36
OFFSET_NOT_AVAILABLE = 78
RETRY_AFTER = 0.1
EARLIEST, LATEST = -2, -1
READ_UNCOMMITTED = 0


class OffsetNotAvailable(KafkaError):
    """A new leader does not know the end of its log yet (KIP-207)."""

    retriable = True


class TopicInfo(NamedTuple):
    """A topic as it is on the cluster: its id as Kafka's tools print it, the leader of each partition, and how many
    copies the partition that has fewest is to have."""

    id: str
    leaders: Sequence[int]
    copies: int


class Bounds(NamedTuple):
    """What a partition holds: from ``first`` to before ``end``."""

    first: int
    end: int


class Topics:
    """Asks about topics, over connections of its own: on a consumer's, a question waits behind its fetch."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._client: AIOKafkaClient | None = None
        self._lock = asyncio.Lock()
        self._preferred = 0

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await self._connection.dispose(put_away(client.close(), client))

    async def describe(self, names: Iterable[str]) -> Mapping[str, TopicInfo]:
        """Those of ``names`` that exist; raises :class:`BusUnavailable` when the cluster does not say.

        Raises :class:`BusForbidden` with all those that it does not show us: whether they exist is not ours to know.
        """
        client = await self._connected()
        try:
            reply = await self._connection.bounded(
                "topics", TIMEOUT, self._ask(client, MetadataRequest(sorted(set(names))))
            )
        except BusUnavailable:
            self._preferred += 1
            raise
        found: dict[str, TopicInfo] = {}
        forbidden = [name for error, name, *_ in reply.topics if error == FORBIDDEN_TOPIC]
        if forbidden:
            raise BusForbidden("see", forbidden)
        for error, name, topic_id, _, partitions, *_ in reply.topics:
            if error == UNKNOWN_TOPIC:
                continue
            if error:
                raise BusUnavailable(f"topic {name}: {for_code(error).__name__}")
            leaders = [leader for _, _, leader, *_ in sorted(partitions, key=lambda one: one[1])]
            copies = min((len(replicas) for _, _, _, _, replicas, *_ in partitions), default=0)
            found[name] = TopicInfo(base64.urlsafe_b64encode(topic_id).decode().rstrip("="), leaders, copies)
        return found

    async def bounds(
        self, sources: Iterable[TopicPartition], known: Mapping[str, TopicInfo]
    ) -> Mapping[TopicPartition, Bounds]:
        """What each of ``sources`` holds now; ``known`` says who led them a moment ago."""
        return await self._connection.bounded("offsets", TIMEOUT, self._bounds(list(sources), known))

    async def _bounds(
        self, sources: Sequence[TopicPartition], known: Mapping[str, TopicInfo]
    ) -> Mapping[TopicPartition, Bounds]:
        client = await self._connected()
        while True:
            by_leader: dict[int, list[TopicPartition]] = defaultdict(list)
            for source in sources:
                if source.topic not in known or source.partition >= len(known[source.topic].leaders):
                    raise BusUnavailable(f"no partition {source.topic}[{source.partition}]")
                by_leader[known[source.topic].leaders[source.partition]].append(source)
            try:
                firsts = await self._offsets(client, by_leader, EARLIEST)
                ends = await self._offsets(client, by_leader, LATEST)
            except KafkaError as error:
                if not error.retriable:
                    raise
                # A leader has moved, or is not ready to lead: as after the topic was made, or a broker lost.
                await asyncio.sleep(RETRY_AFTER)
                known = await self.describe({source.topic for source in sources})
            else:
                return {source: Bounds(firsts[source], ends[source]) for source in sources}

    @staticmethod
    async def _offsets(
        client: AIOKafkaClient, by_leader: Mapping[int, Sequence[TopicPartition]], when: int
    ) -> dict[TopicPartition, int]:
        found = {}
        for leader, sources in by_leader.items():
            by_topic: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for source in sources:
                by_topic[source.topic].append((source.partition, when))
            reply = await client.send(leader, OffsetRequest(-1, READ_UNCOMMITTED, list(by_topic.items())))
            for topic, partitions in reply.topics:
                for partition, error, _, offset, *_ in partitions:
                    if error:
                        raise OffsetNotAvailable if error == OFFSET_NOT_AVAILABLE else for_code(error)
                    found[TopicPartition(topic, partition)] = offset
        return found

    async def _connected(self) -> AIOKafkaClient:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaClient(**self._connection.options())
                await self._connection.start(
                    "connect", TIMEOUT, client.bootstrap(), lambda: put_away(client.close(), client)
                )
                self._client = client
            return self._client

    async def _ask(self, client: AIOKafkaClient, request: MetadataRequest) -> Any:
        nodes = sorted(broker.nodeId for broker in client.cluster.brokers())
        for turn in range(len(nodes)):
            node = nodes[(self._preferred + turn) % len(nodes)]
            if await client.ready(node):
                return await client.send(node, request)
        raise BusUnavailable(f"none of {len(nodes)} brokers answers")


async def create(
    connection: KafkaConnection, topics: Sequence[Topic], *, replication: int = 1, partitions: int | None = None
) -> list[str]:
    """Make those of ``topics`` that do not exist, with ``partitions`` instead of the declared number if given.

    Returns the names made, when all of ``topics`` have leaders. Raises :class:`BusUnavailable` with Kafka's words for
    any that cannot be.
    """
    admin = AIOKafkaAdminClient(**connection.options())
    wanted = [
        NewTopic(
            topic.name, partitions or topic.partitions, replication, topic_configs=dict(topic.settings(replication))
        )
        for topic in topics
    ]
    await connection.start("connect", TIMEOUT, admin.start(), admin.close)
    try:
        reply = await connection.bounded("create topics", TIMEOUT * 4, admin.create_topics(wanted))
    finally:
        await connection.dispose(admin.close())
    made = []
    # It never raises by itself: each topic's code must be read.
    for name, code, *words in reply.topic_errors:
        if code not in {0, EXISTS}:
            raise BusUnavailable(
                f"topic {name}: {for_code(code).__name__} {' '.join(str(word) for word in words if word)}"
            )
        if code == 0:
            made.append(name)
    asking = Topics(connection)
    try:
        await connection.bounded("leaders", TIMEOUT * 4, _led(asking, [topic.name for topic in topics]))
    finally:
        await asking.close()
    return made


async def _led(asking: Topics, names: Sequence[str]) -> None:
    while True:
        found = await asking.describe(names)
        if len(found) == len(names) and all(leader >= 0 for topic in found.values() for leader in topic.leaders):
            return
        await asyncio.sleep(RETRY_AFTER)
