"""The consumer's offsets, in its own database, in the transaction of the effects (compare-and-set)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from shared.bus.base import Batch, Extent, Position, TopicPartition
from shared.db.statements import Row, upsert
from shared.db.tables import consumer_offset as _offset
from shared.db.types import any_of
from shared.db.uow import Reads, Uow

_p = sa.bindparam
_STORED = sa.select(_offset).where(any_of(_offset.c.topic, "topics"))
_PLACE = upsert(_offset, ["topic", "partition"], None)
_FIRST = _PLACE.returning(_offset.c.next)
_MOVE = (
    sa.update(_offset)
    .where(
        _offset.c.topic == _p("t"),
        _offset.c.partition == _p("p"),
        sa.or_(
            sa.and_(_offset.c.log == _p("l"), _offset.c.next == _p("was")),
            # '' is a log that a person decided to accept, whichever it is, from its first record at or after ``next``.
            sa.and_(_offset.c.log == "", _offset.c.next <= _p("was")),
        ),
    )
    .values(log=_p("l"), next=_p("now_next"), high_water=_p("high"), updated_at=_p("at"))
)
_SET = upsert(_offset, ["topic", "partition"], ["log", "next", "high_water", "updated_at"])
_REACH = (
    sa.update(_offset)
    .where(
        _offset.c.topic == _p("t"),
        _offset.c.partition == _p("p"),
        _offset.c.log == _p("l"),
        _offset.c.high_water < _p("h"),
    )
    .values(
        high_water=_p("h"),
        # Until now everything was in: who asks how far back the figures reach is not told of the quiet hour before.
        updated_at=sa.case((_offset.c.next >= _offset.c.high_water, _p("at")), else_=_offset.c.updated_at),
    )
)
_LAG = sa.select(sa.func.coalesce(sa.func.sum(_offset.c.high_water - _offset.c.next), 0))

_LAGS = sa.select(_offset.c.topic, _offset.c.partition, (_offset.c.high_water - _offset.c.next).label("lag")).order_by(
    _offset.c.topic, _offset.c.partition
)
_BEHIND = sa.select(sa.func.min(_offset.c.updated_at)).where(_offset.c.high_water > _offset.c.next)


class Further(NamedTuple):
    """Rows of partitions that were never read, and of those whose log is longer than is known."""

    unread: list[dict[str, Any]]
    grown: list[dict[str, Any]]


class OffsetMoved(Exception):
    """Another member has gone on from this offset: this one is a zombie and writes nothing."""


async def stored(reads: Reads, sources: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
    """The stored positions of ``sources``; a partition never read is absent."""
    rows = await reads.all(_STORED, topics=sorted({source.topic for source in sources}))
    found = {TopicPartition(row.topic, row.partition): Position(row.next, row.log) for row in rows}
    return {source: found[source] for source in sources if source in found}


async def of_topic(reads: Reads, topic: str) -> Mapping[TopicPartition, Position]:
    """The stored positions of every partition of ``topic`` that was ever read."""
    rows = await reads.all(_STORED, topics=[topic])
    return {TopicPartition(row.topic, row.partition): Position(row.next, row.log) for row in rows}


async def advance(uow: Uow, batch: Batch) -> None:
    """Move the offset from the batch's start to after its last record, or raise :class:`OffsetMoved`.

    INVARIANT: state and offset change in one transaction and only from the offset that was read, so an event has its
    effect once whatever dies (tests/kit/events/test_consumer.py::test_zombie_writes_nothing).
    """
    source, first, after = batch.source, batch.start, batch.records[-1].offset + 1
    high = max(batch.high_water, after)
    moved = await uow.execute(
        _MOVE, t=source.topic, p=source.partition, was=first, l=batch.log, now_next=after, high=high, at=uow.now
    )
    if moved:
        return
    made = await uow.scalar(
        _FIRST,
        topic=source.topic,
        partition=source.partition,
        log=batch.log,
        next=after,
        high_water=high,
        updated_at=uow.now,
    )
    if made is None:
        raise OffsetMoved(f"{source.topic}[{source.partition}]")


async def further(reads: Reads, extents: Mapping[TopicPartition, Extent]) -> Further:
    """What ``extents`` say that the stored positions do not know."""
    rows = await reads.all(_STORED, topics=sorted({source.topic for source in extents}))
    known = {TopicPartition(row.topic, row.partition): row for row in rows}
    found = Further([], [])
    # In one order everywhere, so that two units never wait for each other.
    for source, extent in sorted(extents.items()):
        row = known.get(source)
        if row is None:
            place = {"topic": source.topic, "partition": source.partition, "log": "", "next": extent.first}
            found.unread.append(place | {"high_water": extent.end, "updated_at": reads.now})
        elif row.log in {"", extent.log} and extent.end > row.high_water:
            place = {"t": source.topic, "p": source.partition, "l": row.log}
            found.grown.append(place | {"h": extent.end, "at": reads.now})
    return found


async def reach(uow: Uow, extents: Mapping[TopicPartition, Extent]) -> int:
    """The logs go as far as ``extents`` say, whoever reads them; how many of them grew.

    A partition that was never read gets its place, at the log's first record: what waits there is behind, too.
    """
    found = await further(uow, extents)
    await uow.many(_PLACE, found.unread, distinct=True)
    await uow.many(_REACH, found.grown)
    return len(found.grown)


async def decide(uow: Uow, source: TopicPartition, position: Position) -> None:
    """Set the offset by a person's decision (resync, replay); recorded in the audit log."""
    await uow.write(
        _SET,
        topic=source.topic,
        partition=source.partition,
        log=position.log,
        next=position.next,
        high_water=position.next,
        updated_at=uow.now,
    )
    await uow.audit(
        "events.offset_set",
        object_type="partition",
        object_id=f"{source.topic}:{source.partition}",
        detail={"next": position.next},
    )


async def lag(reads: Reads) -> int:
    """Events seen on the bus and not yet handled, over all partitions of this service."""
    return int(await reads.scalar(_LAG))


async def as_of(reads: Reads) -> datetime:
    """Up to when everything told is in (数据截至): now, or when the partition that lags longest last moved."""
    behind: datetime | None = await reads.scalar(_BEHIND)
    return reads.now if behind is None else behind


async def lags(reads: Reads) -> Sequence[Row]:
    """(topic, partition, lag) of each partition of this service."""
    return await reads.all(_LAGS)
