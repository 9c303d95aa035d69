"""One client of a group, from joining to leaving: what is this member's, whether it is alive, what it tells Kafka."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError

from shared.bus.base import TopicPartition
from shared.bus.kafka.connection import KafkaConnection, put_away
from shared.topics import MAX_MESSAGE

START_TIMEOUT = 5.0
REVOKE_PATIENCE = 5.0
"""Seconds that a rebalance waits for the batches in hand; below the rebalance timeout."""
SESSION_MS = 6_000
"""After this without a heartbeat (one a second) a member is dead to its group: the least that Kafka's brokers allow."""
COMMIT_EVERY = 5.0
COMMIT_PATIENCE = 1.0


class GroupClient:
    """aiokafka's consumer with the bookkeeping of its group.

    ``lost`` is called when the partitions are not this member's any more.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        group: str,
        topics: Sequence[str],
        instance: str | None,
        lost: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._topics = list(topics)
        self._lost = lost
        self._group = group
        self._done: dict[TopicPartition, int] = {}
        self._commit: asyncio.Task[None] | None = None
        self._commit_at = self._alive_at = 0.0
        self._sign = 0
        self.mine: frozenset[TopicPartition] = frozenset()
        self.joined = asyncio.Event()
        self.idle = asyncio.Event()
        """Set while the caller has no batch in hand."""
        self.idle.set()
        self.consumer = aiokafka.AIOKafkaConsumer(
            **connection.options(),
            group_id=group,
            group_instance_id=instance,
            client_id=f"wangdian-{group}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            heartbeat_interval_ms=1_000,
            session_timeout_ms=SESSION_MS,
            rebalance_timeout_ms=10_000,
            metadata_max_age_ms=10_000,
            max_partition_fetch_bytes=2 * MAX_MESSAGE,
            fetch_max_bytes=16 * MAX_MESSAGE,
        )

    async def start(self) -> None:
        """Connect and ask to join."""
        await self._connection.start(self._group, START_TIMEOUT, self.consumer.start(), self._put_away)
        self.alive()
        self.consumer.subscribe(self._topics, listener=_Rebalance(self))

    async def stop(self) -> None:
        """Tell Kafka where this member is, and leave."""
        self.idle.set()
        self.say_done(at_once=True)
        if self._commit is not None:
            await asyncio.wait({self._commit}, timeout=COMMIT_PATIENCE)
        self.mine = frozenset()
        await self._connection.dispose(self._put_away())

    async def _put_away(self) -> None:
        await put_away(self.consumer.stop(), self.consumer._client)

    def check(self) -> None:
        """Raise what the background task of the group met: aiokafka keeps it for a call that may never come."""
        self.consumer._coordinator.check_errors()

    def alive(self) -> None:
        """It has just done something."""
        self._alive_at = asyncio.get_running_loop().time()

    def silent_for(self) -> float:
        """Seconds since the last sign of life: since any fetch was answered last, or since it asked to join."""
        sign = 0
        for source in self.mine:
            with contextlib.suppress(AssertionError):
                sign = max(sign, self.consumer.last_poll_timestamp(kafka_source(source)) or 0)
        if sign != self._sign or (self.joined.is_set() and not self.mine):
            self._sign = sign
            self.alive()
        return asyncio.get_running_loop().time() - self._alive_at

    def high_water(self, source: TopicPartition) -> int:
        """The end of the partition at its last fetch."""
        try:
            return self.consumer.highwater(kafka_source(source)) or 0
        except AssertionError:
            return 0

    def done(self, source: TopicPartition, next_offset: int) -> None:
        """Remember for :meth:`say_done`."""
        self._done[source] = next_offset

    def say_done(self, *, at_once: bool = False) -> None:
        """Commit to Kafka in the background, now and then, for its lag tools only."""
        now = asyncio.get_running_loop().time()
        if not self._done or not (at_once or now - self._commit_at > COMMIT_EVERY):
            return
        if self._commit is not None and not self._commit.done():
            return
        offsets = {kafka_source(source): offset for source, offset in self._done.items() if source in self.mine}
        self._commit_at, self._done = now, {}
        if offsets:
            self._commit = self._connection.leave(self._tell(offsets))

    async def _tell(self, offsets: Mapping[Any, int]) -> None:
        with contextlib.suppress(KafkaError):
            await self.consumer.commit(offsets)

    async def revoked(self) -> None:
        """Give the caller time to finish what it has in hand; a zombie that does not is stopped by its offsets."""
        self.say_done(at_once=True)
        self.mine = frozenset()
        self.joined.clear()
        self._lost()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.idle.wait(), REVOKE_PATIENCE)

    def assigned(self, sources: frozenset[TopicPartition]) -> None:
        """A rebalance has ended: these are this member's."""
        self.mine = sources
        self.alive()
        self.joined.set()


class _Rebalance(aiokafka.ConsumerRebalanceListener):
    """aiokafka swallows what a listener raises: this one does nothing that can fail."""

    def __init__(self, client: GroupClient) -> None:
        self._client = client

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._client.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._client.assigned(frozenset(TopicPartition(one.topic, one.partition) for one in assigned))


def kafka_source(source: TopicPartition) -> Any:
    """aiokafka's own name of a partition; the two are equal as keys."""
    return aiokafka.TopicPartition(source.topic, source.partition)
