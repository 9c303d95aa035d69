"""What the cluster says about topics: their identity, partitions and offsets; and making them from the declared ones."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.offset import OffsetRequest

from shared.bus.base import BusUnavailable, TopicPartition
from shared.bus.kafka.connection import KafkaConnection, bounded
from shared.bus.kafka.wire import MetadataRequest
from shared.topics import Topic

TIMEOUT = 5.0
UNKNOWN_TOPIC = 3
EXISTS = 36
EARLIEST, LATEST = -2, -1
READ_UNCOMMITTED = 0


class TopicInfo(NamedTuple):
    """A topic as it is on the cluster: its id as Kafka's tools print it, and the leader of each partition."""

    id: str
    leaders: Sequence[int]


class Bounds(NamedTuple):
    """What a partition holds: from ``first`` to before ``end``."""

    first: int
    end: int


class Topics:
    """Asks the cluster about topics, over connections of its own: on a consumer's, a question waits behind its fetch."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._client: AIOKafkaClient | None = None
        self._lock = asyncio.Lock()
        self._preferred = 0

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await self._connection.dispose(client.close())

    async def describe(self, names: Iterable[str]) -> Mapping[str, TopicInfo]:
        """Those of ``names`` that exist; raises :class:`BusUnavailable` when the cluster does not say or forbids it."""
        client = await self._connected()
        try:
            reply = await bounded("topics", TIMEOUT, self._ask(client, MetadataRequest(sorted(set(names)))))
        except BusUnavailable:
            self._preferred += 1
            raise
        found: dict[str, TopicInfo] = {}
        for error, name, topic_id, _, partitions, *_ in reply.topics:
            if error == UNKNOWN_TOPIC:
                continue
            if error:
                raise BusUnavailable(f"topic {name}: {for_code(error).__name__}")
            leaders = [leader for _, _, leader, *_ in sorted(partitions, key=lambda one: one[1])]
            found[name] = TopicInfo(base64.urlsafe_b64encode(topic_id).decode().rstrip("="), leaders)
        return found

    async def bounds(
        self, sources: Iterable[TopicPartition], known: Mapping[str, TopicInfo]
    ) -> Mapping[TopicPartition, Bounds]:
        """What each of ``sources`` holds now; ``known`` says who leads them."""
        client = await self._connected()
        by_leader: dict[int, list[TopicPartition]] = defaultdict(list)
        for source in sources:
            by_leader[known[source.topic].leaders[source.partition]].append(source)
        asked = [
            self._offsets(client, leader, mine, when) for leader, mine in by_leader.items() for when in (EARLIEST, LATEST)
        ]
        first: dict[TopicPartition, int] = {}
        end: dict[TopicPartition, int] = {}
        for (when, found) in await bounded("offsets", TIMEOUT, asyncio.gather(*asked)):
            (first if when == EARLIEST else end).update(found)
        return {source: Bounds(first[source], end[source]) for source in end}

    @staticmethod
    async def _offsets(
        client: AIOKafkaClient, leader: int, sources: Sequence[TopicPartition], when: int
    ) -> tuple[int, dict[TopicPartition, int]]:
        by_topic: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for source in sources:
            by_topic[source.topic].append((source.partition, when))
        reply = await client.send(leader, OffsetRequest(-1, READ_UNCOMMITTED, list(by_topic.items())))
        found = {}
        for topic, partitions in reply.topics:
            for partition, error, _, offset, *_ in partitions:
                if error:
                    raise BusUnavailable(f"offsets of {topic}[{partition}]: {for_code(error).__name__}")
                found[TopicPartition(topic, partition)] = offset
        return when, found

    async def _connected(self) -> AIOKafkaClient:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaClient(**self._connection.options())
                try:
                    await bounded("connect", TIMEOUT, client.bootstrap())
                except BaseException:
                    await self._connection.dispose(client.close())
                    raise
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
    connection: KafkaConnection, topics: Iterable[Topic], *, replication: int = 1, partitions: int | None = None
) -> list[str]:
    """Make those of ``topics`` that do not exist, with ``partitions`` instead of the declared number if given.

    Returns the names made. Raises :class:`BusUnavailable` with Kafka's words for any that cannot be.
    """
    admin = AIOKafkaAdminClient(**connection.options())
    try:
        await bounded("connect", TIMEOUT, admin.start())
        reply = await bounded(
            "create topics",
            TIMEOUT * 4,
            admin.create_topics(
                [
                    NewTopic(
                        topic.name,
                        partitions or topic.partitions,
                        replication,
                        topic_configs=dict(topic.settings(replication)),
                    )
                    for topic in topics
                ]
            ),
        )
    finally:
        await connection.dispose(admin.close())
    made = []
    # It never raises by itself: each topic's code must be read.
    for name, code, *words in reply.topic_errors:
        if code not in {0, EXISTS}:
            raise BusUnavailable(f"topic {name}: {for_code(code).__name__} {' '.join(str(word) for word in words if word)}")
        if code == 0:
            made.append(name)
    return made
