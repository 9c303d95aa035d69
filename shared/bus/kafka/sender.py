"""The producer: idempotent, every send bounded in time, and never trusted again after a failure.

A batch of an idempotent producer does not expire, and a send that timed out may still arrive; a lost sequence number
wedges the producer for good (aiokafka#1017). So after any failure the producer is stopped without sending what it
holds, and another is made before the next send. What arrives twice is the consumers' guards' business.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.bus.base import BusForbidden, BusUnavailable, Message, TopicPartition
from shared.bus.kafka.connection import REQUEST_TIMEOUT_MS, KafkaConnection, put_away, unavailable
from shared.bus.kafka.topics import Topics
from shared.bus.partitioning import partition_of
from shared.observability.logging import get_logger
from shared.topics import MAX_MESSAGE

log = get_logger("bus")

START_TIMEOUT = 4.0
SEND_TIMEOUT = 10.0
"""Seconds to start and to send; above a failover of the brokers (5 s measured)."""
BATCH_BYTES = 1 << 17
RECORD_OVERHEAD = 128
LINGER_MS = 10


class MessageTooLarge(ValueError):
    """The message is larger than the topic takes; sending it again will not help."""


class _Sent(NamedTuple):
    topic: str
    future: asyncio.Future[Any]
    indices: Sequence[int]


Outcomes = list[Exception | None]


class Sender:
    """One idempotent producer at a time."""

    def __init__(self, connection: KafkaConnection, topics: Topics) -> None:
        self._connection = connection
        self._topics = topics
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def send(self, messages: Sequence[Message]) -> Outcomes:
        """Send in order, all partitions at once; one outcome per message, within START_TIMEOUT + SEND_TIMEOUT."""
        async with self._lock:
            try:
                producer = await self._running()
            except BusUnavailable as error:
                return [error] * len(messages)
            outcomes: Outcomes = [BusUnavailable("not sent")] * len(messages)
            sent: list[_Sent] = []
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    plan = await self._plan(producer, messages, outcomes)
                    for source, builder, indices in plan:
                        future = await producer.send_batch(builder, source.topic, partition=source.partition)
                        future.add_done_callback(_seen)
                        sent.append(_Sent(source.topic, future, indices))
                    await asyncio.wait([one.future for one in sent] or [_nothing()])
                trouble = _read(sent, outcomes)
            except (TimeoutError, KafkaError, OSError) as error:
                trouble = type(error).__name__
                _read(sent, outcomes)
            except BaseException:
                self._discard()
                raise
            if trouble:
                log.warning("bus_send_failed", error=trouble)
                self._discard()
            return outcomes

    async def close(self) -> None:
        """Send what is pending and disconnect."""
        async with self._lock:
            producer, self._producer = self._producer, None
            if producer is not None:
                await self._connection.dispose(put_away(producer.stop(), producer.client))

    async def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._connection.options(),
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=LINGER_MS,
                max_batch_size=BATCH_BYTES,
                max_request_size=MAX_MESSAGE,
            )
            await self._connection.start(
                "producer", START_TIMEOUT, producer.start(), lambda: put_away(producer.stop(), producer.client)
            )
            self._producer, self._partitions = producer, {}
        return self._producer

    async def _plan(
        self, producer: AIOKafkaProducer, messages: Sequence[Message], outcomes: Outcomes
    ) -> list[tuple[TopicPartition, Any, list[int]]]:
        """Closed batches in the order to send: the first of each partition, then the second of each, and so on.

        A message that no broker may get has its outcome here: a refused batch would cost the producer.
        """
        forbidden = await self._learn(producer, {message.topic for message in messages})
        rounds: list[list[tuple[TopicPartition, Any, list[int]]]] = []
        open_: dict[TopicPartition, tuple[int, Any, list[int]]] = {}
        for index, message in enumerate(messages):
            count = self._partitions.get(message.topic)
            if count is None:
                outcomes[index] = (
                    BusForbidden("write", [message.topic])
                    if message.topic in forbidden
                    else BusUnavailable(f"no topic {message.topic}")
                )
                continue
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            key, value = message.key.encode(), message.value
            if len(key) + len(value) + sum(len(n) + len(v) for n, v in headers) + RECORD_OVERHEAD > MAX_MESSAGE:
                outcomes[index] = MessageTooLarge(f"{message.topic}: {len(value)} bytes")
                continue
            source = TopicPartition(message.topic, partition_of(message.key, count))
            depth, builder, indices = open_.get(source, (-1, None, []))
            if builder is None or builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                depth, builder, indices = depth + 1, producer.create_batch(), []
                builder.append(timestamp=None, key=key, value=value, headers=headers)
                open_[source] = (depth, builder, indices)
                if depth == len(rounds):
                    rounds.append([])
                rounds[depth].append((source, builder, indices))
            indices.append(index)
        plan = [batch for batches in rounds for batch in batches]
        for _, builder, _ in plan:
            builder.close()
        return plan

    async def _learn(self, producer: AIOKafkaProducer, names: set[str]) -> frozenset[str]:
        """See how many partitions the topics have; returns those that the cluster does not show us."""
        forbidden: frozenset[str] = frozenset()
        while new := names - self._partitions.keys() - forbidden:
            try:
                found = await self._topics.describe(new)
            except BusForbidden as refusal:
                forbidden |= set(refusal.names)
                continue
            for name in found:
                self._partitions[name] = len(await producer.partitions_for(name))
            break
        return forbidden

    def _discard(self) -> None:
        """Stop the producer in the background, without sending what it holds."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._connection.leave(_abandon(producer))


async def _abandon(producer: AIOKafkaProducer) -> None:
    """``stop()`` waits until all is sent, and an idempotent batch waits for ever.

    So the task that sends is ended first, which waits for the requests under way, and only then what it
    holds is dropped: the other way round a request comes back to a client that is closed, and opens it again.
    """
    task = producer._sender.sender_task
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=REQUEST_TIMEOUT_MS / 1000)
    producer._message_accumulator._batches.clear()
    producer._message_accumulator._pending_batches.clear()
    await put_away(producer.stop(), producer.client)


def _read(sent: Sequence[_Sent], outcomes: Outcomes) -> str:
    """Write down what became of each batch; returns the name of the first trouble or ''."""
    trouble = ""
    for topic, future, indices in sent:
        if not future.done():
            outcome: Exception | None = BusUnavailable(f"no answer in {SEND_TIMEOUT:g} s")
            trouble = trouble or "TimeoutError"
        elif (error := future.exception()) is not None:
            outcome = unavailable(topic, error, "write", [topic])
            trouble = trouble or type(error).__name__
        else:
            outcome = None
        for index in indices:
            outcomes[index] = outcome
    return trouble


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody may be there any more to look at a late failure."""
    if not future.cancelled():
        future.exception()


def _nothing() -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
