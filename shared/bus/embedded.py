"""The embedded bus: a durable log in its own SQLite file, with topics, partitions and offsets like Kafka's.

It is a log and not a queue in memory: order per key, at-least-once, replay and offsets are the same code as on Kafka.
It keeps duplicates as Kafka does; consumers guard against them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.bus.base import (
    Assigned,
    Batch,
    BusUnavailable,
    Extent,
    LogChanged,
    Message,
    OffsetOutOfRange,
    Position,
    Record,
    TopicPartition,
)
from shared.bus.partitioning import partition_of
from shared.clock import Clock
from shared.db.errors import DatabaseError
from shared.db.sqlite import SqliteDatabase, connect
from shared.db.statements import SQLITE, insert, upsert
from shared.db.types import JsonText
from shared.db.uow import Reads, UnitContext, Uow
from shared.events.crash import crash
from shared.ids import uuid7

_BUS = sa.MetaData()
_log = sa.Table(
    "log",
    _BUS,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("headers", JsonText, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("stored_at", UTCDateTime, nullable=False, index=True),
    sa.Index("ix_log_key", "topic", "partition", "key", "offset"),
    sqlite_with_rowid=False,
)
_part = sa.Table(
    "part",
    _BUS,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("next", sa.Integer, nullable=False),
    sa.Column("first", sa.Integer, nullable=False),
)

BRIEF = 64
"""Messages that are appended within a few milliseconds."""

_p = sa.bindparam
_DECLARE = upsert(_part, ["topic", "partition"], None)
_PARTS = sa.select(_part).order_by(_part.c.topic, _part.c.partition)
_ADVANCE = (
    sa.update(_part)
    .where(_part.c.topic == _p("t"), _part.c.partition == _p("p"))
    .values(next=_part.c.next + _p("n"))
    .returning(_part.c.next)
)
_APPEND = insert(_log)
_READ = (
    sa.select(_log.c.offset, _log.c.headers, _log.c.value)
    .where(_log.c.topic == _p("t"), _log.c.partition == _p("p"), _log.c.offset >= _p("start"))
    .order_by(_log.c.offset)
    .limit(_p("most", type_=sa.Integer))
)
_PART = sa.select(_part).where(_part.c.topic == _p("t"), _part.c.partition == _p("p"))
_EXPIRED = sa.select(sa.func.max(_log.c.offset).label("last")).where(
    _log.c.topic == _p("t"), _log.c.partition == _p("p"), _log.c.stored_at < _p("before")
)
_DROP = sa.delete(_log).where(_log.c.topic == _p("t"), _log.c.partition == _p("p"), _log.c.offset <= _p("last"))
_FIRST = sa.update(_part).where(_part.c.topic == _p("t"), _part.c.partition == _p("p")).values(first=_p("last") + 1)

_newer = _log.alias("newer")
_SUPERSEDED = sa.delete(_log).where(
    _log.c.topic == _p("t"),
    _log.c.stored_at < _p("before"),
    sa.exists().where(
        _newer.c.topic == _log.c.topic,
        _newer.c.partition == _log.c.partition,
        _newer.c.key == _log.c.key,
        _newer.c.offset > _log.c.offset,
    ),
)


class EmbeddedBus:
    """All topics in one file; the one process that owns the data folder is the only member of each group."""

    def __init__(self, path: Path, clock: Clock, topics: Sequence[str], partitions: int) -> None:
        self._path = path
        self._clock = clock
        self._topics = tuple(topics)
        self._partitions = partitions
        self._db = SqliteDatabase(path, clock, UnitContext("bus"))
        self._arrived: dict[str, asyncio.Event] = {}
        self.broken: Exception | None = None
        """Set by tests to make every publish fail."""

    async def open(self) -> None:
        """Make the file and the declared topics if they are not there."""
        raw = connect(self._path)
        for ddl in _BUS.sorted_tables:
            raw.execute(str(sa.schema.CreateTable(ddl, if_not_exists=True).compile(dialect=SQLITE)))
            for index in ddl.indexes:
                raw.execute(str(sa.schema.CreateIndex(index, if_not_exists=True).compile(dialect=SQLITE)))
        raw.close()
        await self._db.open()

        async def declare(uow: Uow) -> None:
            rows = [
                {"topic": topic, "partition": partition, "log": uuid7(), "next": 0, "first": 0}
                for topic in self._topics
                for partition in range(self._partitions)
            ]
            await uow.many(_DECLARE, rows)

        await self._db.write(declare, actor="bus")

    async def close(self) -> None:
        """Close the file."""
        await self._db.close()

    async def publish(self, messages: Sequence[Message]) -> Sequence[Exception | None]:
        """Append all messages in one durable transaction."""
        if self.broken is not None:
            return [self.broken] * len(messages)

        async def append(uow: Uow) -> set[str]:
            unknown: set[str] = set()
            grouped: dict[TopicPartition, list[Message]] = {}
            for message in messages:
                source = TopicPartition(message.topic, partition_of(message.key, self._partitions))
                grouped.setdefault(source, []).append(message)
            rows = []
            for source, group in grouped.items():
                after = await uow.scalar(_ADVANCE, t=source.topic, p=source.partition, n=len(group))
                if after is None:
                    unknown.add(source.topic)
                    continue
                for offset, message in enumerate(group, start=after - len(group)):
                    rows.append(
                        {
                            "topic": source.topic,
                            "partition": source.partition,
                            "offset": offset,
                            "key": message.key,
                            "headers": dict(message.headers),
                            "value": message.value,
                            "stored_at": uow.now,
                        }
                    )
            await uow.many(_APPEND, rows)
            crash("bus:inside-append")
            return unknown

        try:
            unknown = await self._db.write(append, actor="bus", brief=len(messages) <= BRIEF)
        except DatabaseError as error:
            return [error] * len(messages)
        for topic in {message.topic for message in messages}:
            for name, event in self._arrived.items():
                if topic in name.split(" ", 1)[1].split(","):
                    event.set()
        return [
            BusUnavailable(f"no topic {message.topic}") if message.topic in unknown else None for message in messages
        ]

    async def extents(self, topics: Sequence[str]) -> Mapping[TopicPartition, Extent]:
        """What every partition of ``topics`` holds."""
        rows = await self._db.read(lambda reads: reads.all(_PARTS))
        return {
            TopicPartition(row.topic, row.partition): Extent(row.first, row.next, row.log)
            for row in rows
            if row.topic in topics
        }

    async def subscribe(self, group: str, topics: Sequence[str], assigned: Assigned) -> "EmbeddedSubscription":
        """Read every partition of ``topics`` from the stored positions."""
        event = self._arrived.setdefault(f"{group} {','.join(topics)}", asyncio.Event())
        sources = [TopicPartition(topic, p) for topic in topics for p in range(self._partitions)]
        subscription = EmbeddedSubscription(self._db, event, sources, assigned)
        await subscription.place()
        return subscription

    async def expire(self, topic: str, keep: timedelta) -> int:
        """Drop the records of ``topic`` older than ``keep``; returns how many partitions lost some."""
        before = self._clock.now() - keep

        async def drop(uow: Uow) -> int:
            touched = 0
            for partition in range(self._partitions):
                last = await uow.scalar(_EXPIRED, t=topic, p=partition, before=before)
                if last is not None:
                    await uow.write(_DROP, t=topic, p=partition, last=last)
                    await uow.write(_FIRST, t=topic, p=partition, last=last)
                    touched += 1
            return touched

        return await self._db.write(drop, actor="bus")

    async def compact(self, topic: str, keep: timedelta) -> int:
        """Drop the records of ``topic`` older than ``keep`` whose key has a newer record; returns how many went."""
        before = self._clock.now() - keep
        return await self._db.write(lambda uow: uow.execute(_SUPERSEDED, t=topic, before=before), actor="bus")


class EmbeddedSubscription:
    """Positions in memory over the log; the caller keeps the durable ones."""

    def __init__(
        self, db: SqliteDatabase, arrived: asyncio.Event, sources: Sequence[TopicPartition], stored: Assigned
    ) -> None:
        self._db = db
        self._arrived = arrived
        self._sources = tuple(sources)
        self._stored = stored
        self._positions: dict[TopicPartition, Position] = {}

    def assigned(self) -> frozenset[TopicPartition]:
        """Every partition of the subscribed topics."""
        return frozenset(self._sources)

    def rewind(self) -> None:
        """Forget the positions; the next fetch asks for the stored ones."""
        self._positions.clear()

    async def place(self) -> None:
        """Go to the stored positions."""
        positions = await self._stored(self._sources)
        try:
            for source in self._sources:
                await self.seek(source, positions.get(source, Position(0, "")))
        except LogChanged:
            self._positions.clear()
            raise

    async def seek(self, source: TopicPartition, position: Position) -> None:
        """Go on from ``position``, which must be in this very log."""
        part = await self._db.read(lambda reads: reads.one(_PART, t=source.topic, p=source.partition))
        if part is None:
            raise LogChanged(source, "the topic does not exist")
        if position.log and position.log != part.log:
            raise LogChanged(source, "the topic was made anew")
        if not position.log:
            position = Position(max(part.first, position.next), part.log)
        if not part.first <= position.next <= part.next:
            raise OffsetOutOfRange(source, f"offset {position.next} is not in {part.first}..{part.next}")
        self._positions[source] = Position(position.next, part.log)

    async def fetch(self, *, limit: int, wait: float) -> Sequence[Batch]:
        """What is there, or what arrives within ``wait`` seconds."""
        if not self._positions:
            await self.place()
        self._arrived.clear()
        batches = await self._db.read(lambda reads: self._read(reads, limit))
        if not batches and wait > 0:
            try:
                await asyncio.wait_for(self._arrived.wait(), wait)
            except TimeoutError:
                return []
            batches = await self._db.read(lambda reads: self._read(reads, limit))
        for batch in batches:
            self._positions[batch.source] = Position(batch.records[-1].offset + 1, batch.log)
        return batches

    async def _read(self, reads: Reads, limit: int) -> list[Batch]:
        parts: Mapping[TopicPartition, sa.Row] = {
            TopicPartition(row.topic, row.partition): row for row in await reads.all(_PARTS)
        }
        batches = []
        for source, position in self._positions.items():
            part = parts.get(source)
            if part is None or part.log != position.log:
                raise LogChanged(source, "the topic was made anew")
            if position.next >= part.next:
                continue
            if position.next < part.first:
                raise OffsetOutOfRange(source, f"offset {position.next} is before {part.first}")
            rows = await reads.all(_READ, t=source.topic, p=source.partition, start=position.next, most=limit)
            records = [Record(row.offset, row.headers, row.value) for row in rows]
            if records:
                batches.append(Batch(source, part.log, position.next, records, part.next))
        return batches

    async def done(self, source: TopicPartition, next_offset: int) -> None:
        """Nobody else reads this group's progress here."""

    async def close(self) -> None:
        """Nothing to leave."""
        self._sources = ()
        self._positions.clear()
