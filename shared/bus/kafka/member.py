"""A member of a consumer group whose positions are the caller's.

aiokafka rebalances in the background and can stop fetching silently (aiokafka#847, #1037). So its callbacks only say
what is assigned; positions are read, checked and set by :meth:`KafkaSubscription.fetch`, whose caller sees every
failure; no lock is held around ``getmany``, which would deadlock with a rebalance; and a client that failed, or shows
no sign of life, is replaced.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from shared.bus.base import (
    Assigned,
    Batch,
    BusUnavailable,
    LogChanged,
    OffsetOutOfRange,
    Position,
    Record,
    TopicPartition,
)
from shared.bus.kafka.client import GroupClient, kafka_source
from shared.bus.kafka.connection import KafkaConnection, unavailable
from shared.bus.kafka.headers import Headers
from shared.bus.kafka.topics import TopicInfo, Topics

JOIN_PATIENCE = 8.0
"""Seconds that subscribing waits for a share: above the session of a member that died."""
LOOK_EVERY = 0.2
OVERRUN = 2.0
"""Seconds by which a fetch may overrun its wait."""
CATCH_UP = 5.0
SILENCE = 45.0
"""Seconds without a reply to a fetch, or outside of a group, after which the client is replaced."""
IDENTITY_EVERY = 0.5
"""Seconds after which a fetch asks again whether the topics are still the same logs."""
IDLE_IDENTITY_EVERY = 5.0

_Polled = Mapping[Any, Sequence[Any]]


class KafkaSubscription:
    """One member; replaces its client by itself when that is broken."""

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Topics,
        group: str,
        names: Sequence[str],
        stored: Assigned,
        instance: str | None,
    ) -> None:
        self._connection = connection
        self._topics = topics
        self._group = group
        self._names = tuple(names)
        self._stored = stored
        self._instance = instance
        self._client: GroupClient | None = None
        self._positions: dict[TopicPartition, Position] = {}
        self._high: dict[TopicPartition, int] = {}
        self._generation = 0
        self._identity_at = 0.0
        self.closed = False

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that are this member's now."""
        return frozenset() if self._client is None else self._client.mine

    async def start(self) -> None:
        """Connect and join, and wait a while for the group to give this member its share."""
        missing = set(self._names) - (await self._topics.describe(self._names)).keys()
        if missing:
            raise BusUnavailable(f"no topic {', '.join(sorted(missing))}")
        await self._joined(await self._connected(), JOIN_PATIENCE)

    async def close(self) -> None:
        """Leave the group, saying where this member was."""
        self.closed = True
        await self._disconnect()

    def rewind(self) -> None:
        """Forget the positions in memory; the next fetch goes on from the stored ones."""
        self._positions.clear()

    async def seek(self, source: TopicPartition, position: Position) -> None:
        """Go on from ``position``, which must be in this very log."""
        await self._place({source: position})

    async def done(self, source: TopicPartition, next_offset: int) -> None:
        """Everything before ``next_offset`` has had its effect; Kafka is told later, for its lag tools only."""
        if self._client is not None:
            self._client.done(source, next_offset)

    async def fetch(self, *, limit: int, wait: float) -> Sequence[Batch]:
        """What is there, or arrives within ``wait`` seconds; with no wait, all that was there at the call is found."""
        client = await self._connected()
        client.idle.set()
        client.say_done()
        if not client.joined.is_set() and not await self._joined(client, wait):
            await self._watch(client)
            return []
        await self._place_new()
        if not self._positions:
            await self._same_logs_as_stored()
            await asyncio.sleep(wait)
            return []
        generation = self._generation
        try:
            polled = await self._poll(client, limit, wait)
            if not polled and not wait:
                polled = await self._catch_up(client, limit)
            batches = await self._batches(client, polled)
        except BaseException:
            # The client may be past records that nobody got.
            self._positions.clear()
            raise
        if generation != self._generation:
            return []
        for batch in batches:
            self._positions[batch.source] = Position(batch.records[-1].offset + 1, batch.log)
        if batches:
            client.idle.clear()
        return batches

    async def _poll(self, client: GroupClient, limit: int, wait: float) -> _Polled:
        try:
            # During a rebalance getmany waits for its end, however long that takes.
            async with asyncio.timeout(wait + OVERRUN):
                polled: _Polled = await client.consumer.getmany(
                    *map(kafka_source, self._positions), timeout_ms=int(wait * 1000), max_records=limit
                )
        except (TimeoutError, NoOffsetForPartitionError):
            # Kafka keeps no offset for us: an error about that is from before our own was set.
            polled = {}
        except OffsetOutOfRangeError as error:
            for source in error.args[0]:
                self._positions.pop(TopicPartition(*source), None)
            await self._place_new()
            return {}
        except KafkaError as error:
            await self._disconnect()
            raise unavailable(self._group, error, "read") from error
        if polled:
            client.alive()
        else:
            await self._watch(client)
        return polled

    async def _joined(self, client: GroupClient, wait: float) -> bool:
        """Whether the group gives this member its share within ``wait`` seconds; raises when it never will."""
        deadline = asyncio.get_running_loop().time() + wait
        while not client.joined.is_set():
            try:
                client.check()
            except KafkaError as error:
                await self._disconnect()
                raise unavailable(self._group, error, "read", [self._group]) from error
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                await asyncio.sleep(0)
                return client.joined.is_set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.joined.wait(), min(left, LOOK_EVERY))
        return True

    async def _catch_up(self, client: GroupClient, limit: int) -> _Polled:
        """What lies between the positions and the ends that the logs have now."""
        positions = dict(self._positions)
        bounds = await self._topics.bounds(positions, await self._topics.describe(self._names))
        behind = {source for source, position in positions.items() if position.next < bounds[source].end}
        deadline = asyncio.get_running_loop().time() + CATCH_UP
        while behind & self._positions.keys() and asyncio.get_running_loop().time() < deadline:
            if polled := await self._poll(client, limit, 0.2):
                return polled
        return {}

    async def _batches(self, client: GroupClient, polled: _Polled) -> list[Batch]:
        batches: list[Batch] = []
        moved_back = False
        for source, position in list(self._positions.items()):
            found = polled.get(source)
            if not found:
                continue
            records = [Record(one.offset, Headers(one.headers), one.value or b"") for one in found]
            high = max(client.high_water(source), records[-1].offset + 1)
            moved_back |= high < self._high.get(source, 0)
            self._high[source] = high
            batches.append(Batch(source, position.log, position.next, records, high))
        now = asyncio.get_running_loop().time()
        if batches and (moved_back or now - self._identity_at > IDENTITY_EVERY):
            # Fetches go by name, which may mean another log by now.
            found_topics = await self._topics.describe(self._names)
            for source, position in self._positions.items():
                _same_log(source, position.log, found_topics)
            self._identity_at = now
        return batches

    async def _same_logs_as_stored(self) -> None:
        """A member with nothing to read may be one too many, or its topics are gone or others: tell these apart."""
        now = asyncio.get_running_loop().time()
        if now - self._identity_at < IDLE_IDENTITY_EVERY:
            return
        found = await self._topics.describe(self._names)
        missing = set(self._names) - found.keys()
        if missing:
            raise BusUnavailable(f"no topic {', '.join(sorted(missing))}")
        sources = [TopicPartition(name, p) for name, topic in found.items() for p in range(len(topic.leaders))]
        for source, position in (await self._stored(sources)).items():
            _same_log(source, position.log, found)
        self._identity_at = now

    async def _place_new(self) -> None:
        new = sorted(self.assigned() - self._positions.keys())
        if new:
            stored = await self._stored(new)
            await self._place({source: stored.get(source, Position(0, "")) for source in new})

    async def _place(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Seek to ``positions`` after seeing that each is in the log it belongs to."""
        client, generation = await self._connected(), self._generation
        found = await self._topics.describe(self._names)
        for source, position in positions.items():
            if not position.log and source.topic not in found:
                raise BusUnavailable(f"no topic {source.topic}")
            _same_log(source, position.log, found)
        bounds = await self._topics.bounds(positions, found)
        for source, position in positions.items():
            first, end = bounds[source]
            offset = position.next if position.log else max(first, position.next)
            if not first <= offset <= end:
                raise OffsetOutOfRange(source, f"offset {offset} is not in {first}..{end}")
            if generation != self._generation or source not in client.mine:
                return
            try:
                client.consumer.seek(kafka_source(source), offset)
            except IllegalStateError:
                return
            self._positions[source] = Position(offset, found[source.topic].id)
            self._high[source] = end

    async def _connected(self) -> GroupClient:
        if self._client is None:
            client = GroupClient(self._connection, self._group, self._names, self._instance, self._lost)
            await client.start()
            self._client = client
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._lost()
        if client is not None:
            await client.stop()

    def _lost(self) -> None:
        self._generation += 1
        self._positions.clear()

    async def _watch(self, client: GroupClient) -> None:
        silence = client.silent_for()
        if silence > SILENCE:
            await self._disconnect()
            raise BusUnavailable(f"{self._group}: no sign of life for {silence:.0f} s, joining anew")


def _same_log(source: TopicPartition, log: str, found: Mapping[str, TopicInfo]) -> None:
    """Raise :class:`LogChanged` unless the topic is the ``log``; '' is any."""
    if source.topic not in found:
        raise LogChanged(source, "the topic does not exist")
    if log and log != found[source.topic].id:
        raise LogChanged(source, "the topic was made anew")
