"""Dead letters: events that could not be read, and subjects parked behind an event whose handler failed.

Only the subject is parked, never the branch or the partition: its later events wait behind the failed one in their
order, all others flow on. It is tried again by itself for a day, then waits for a person.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from shared.bus.base import Record, TopicPartition
from shared.db.statements import Row, upsert
from shared.db.tables import dead_letter as _dead
from shared.db.types import any_of
from shared.db.uow import Reads, Uow
from shared.ids import uuid7

BEHIND = "behind"
"""The error of a record that only waits behind its subject's failed one; it is never due by itself."""

AGAIN_FOR = timedelta(days=1)
_STEPS = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=1))

_p = sa.bindparam
# A record that went through once and fails in a replay is open again; what a person gave up stays given up.
_PUT = upsert(
    _dead,
    ["topic", "partition", "offset", "event_id"],
    ["id", "state", "error", "attempts", "first_seen", "next_try"],
    where=lambda old, new: old.state == "done",
)
_HELD = _dead.c.state.in_(("parked", "waiting"))
# Locked, as a subject whose last letter goes through meanwhile on another member is not parked any more.
_PARKED_AMONG = sa.select(_dead.c.subject).where(_HELD, any_of(_dead.c.subject, "subjects")).with_for_update()
_ANY = sa.select(_dead.c.subject).where(_HELD).limit(sa.literal_column("1"))
_DUE = (
    sa.select(_dead.c.subject)
    .where(_dead.c.state == "parked", _dead.c.next_try <= _p("now"))
    .order_by(_dead.c.next_try)
    .limit(100)
)
_OLDEST = (
    sa.select(_dead).where(_HELD, _dead.c.subject == _p("subject")).order_by(_dead.c.id).limit(1).with_for_update()
)
_STATE = sa.update(_dead).where(_dead.c.id == _p("letter")).values(state=_p("new_state"), next_try=_p("next"))
_FAILED = (
    sa.update(_dead)
    .where(_dead.c.id == _p("letter"))
    .values(attempts=_dead.c.attempts + 1, error=_p("new_error"), next_try=_p("next"))
)
_OPEN = (
    sa.select(
        _dead.c.id,
        _dead.c.state,
        _dead.c.type,
        _dead.c.subject,
        _dead.c.topic,
        _dead.c.partition,
        _dead.c.offset,
        _dead.c.event_id,
        _dead.c.error,
        _dead.c.attempts,
        _dead.c.first_seen,
        _dead.c.next_try,
    )
    .where(_dead.c.state.in_(("parked", "waiting", "dead")), _dead.c.id > _p("after"))
    .order_by(_dead.c.id)
    .limit(_p("most", type_=sa.Integer))
)
_ONE = sa.select(_dead).where(_dead.c.id == _p("letter")).with_for_update()
_DEPTH = sa.select(
    sa.func.count(sa.distinct(_dead.c.subject)).filter(_HELD).label("subjects"),
    sa.func.count().filter(_dead.c.state == "dead").label("dead"),
).where(_dead.c.state.in_(("parked", "waiting", "dead")))


async def parked_among(uow: Uow, subjects: Sequence[str]) -> set[str]:
    """Those of ``subjects`` that are parked."""
    # Nearly always nobody is: told by one row of an index, and no list of all subjects is made and looked up.
    if await uow.one(_ANY) is None:
        return set()
    return {row.subject for row in await uow.all(_PARKED_AMONG, subjects=sorted(set(subjects)))}


def _letter(uow: Uow, source: TopicPartition, record: Record, state: str, error: str) -> dict[str, Any]:
    headers = record.headers
    return {
        "id": uuid7(),
        "topic": source.topic,
        "partition": source.partition,
        "offset": record.offset,
        "event_id": headers.get("ce_id", ""),
        "type": headers.get("ce_type", ""),
        "subject": headers.get("ce_subject", ""),
        "headers": dict(headers),
        "payload": record.value,
        "state": state,
        "error": error,
        "attempts": 0,
        "first_seen": uow.now,
        "next_try": uow.now + _STEPS[0] if state == "parked" and error != BEHIND else None,
    }


async def bury(uow: Uow, source: TopicPartition, record: Record, error: str) -> None:
    """Keep a record that cannot be read; it blocks nobody."""
    await uow.write(_PUT, **_letter(uow, source, record, "dead", error))


async def park(uow: Uow, source: TopicPartition, record: Record, error: str) -> None:
    """Park the record's subject behind this record."""
    await uow.write(_PUT, **_letter(uow, source, record, "parked", error))


async def queue_behind(uow: Uow, source: TopicPartition, records: Sequence[Record]) -> None:
    """Later records of parked subjects wait their turn."""
    await uow.many(_PUT, [_letter(uow, source, record, "parked", BEHIND) for record in records])


async def due(reads: Reads) -> list[str]:
    """Subjects to try again now."""
    rows = await reads.all(_DUE, now=reads.now)
    return list(dict.fromkeys(row.subject for row in rows))


async def oldest(uow: Uow, subject: str) -> Row | None:
    """The letter at the head of a parked subject, locked."""
    return await uow.one(_OLDEST, subject=subject)


async def finish(uow: Uow, letter: str, state: str) -> None:
    """The letter had its effect (``done``) or a person gave it up (``discarded``)."""
    await uow.write(_STATE, letter=letter, new_state=state, next=None)


async def bury_again(uow: Uow, row: Row, error: str) -> None:
    """The letter still cannot be read."""
    await uow.write(_FAILED, letter=row.id, new_error=error, next=None)
    await finish(uow, row.id, "dead")


async def failed_again(uow: Uow, row: Row, error: str) -> None:
    """Plan the next try, or let the subject wait for a person after a day."""
    if uow.now - row.first_seen >= AGAIN_FOR:
        await uow.write(_STATE, letter=row.id, new_state="waiting", next=None)
        return
    step = _STEPS[min(row.attempts + 1, len(_STEPS) - 1)]
    await uow.write(_FAILED, letter=row.id, new_error=error, next=uow.now + step)


async def listing(reads: Reads, after: str, most: int) -> list[Row]:
    """Open letters in order, without payloads."""
    return await reads.all(_OPEN, after=after, most=most)


async def ask_again(uow: Uow, letter: str) -> Row | None:
    """A person asks for another try now; an unreadable letter joins its subject's parked ones."""
    row = await uow.one(_ONE, letter=letter)
    if row is None or row.state not in ("parked", "waiting", "dead"):
        return None
    await uow.write(_STATE, letter=letter, new_state="parked", next=uow.now)
    await uow.audit("events.retry", object_type="dead_letter", object_id=letter)
    return row


async def give_up(uow: Uow, letter: str, reason: str) -> Row | None:
    """A person discards the letter; what waits behind it is tried at once."""
    row = await uow.one(_ONE, letter=letter)
    if row is None or row.state not in ("parked", "waiting", "dead"):
        return None
    await finish(uow, letter, "discarded")
    await uow.audit("events.discard", object_type="dead_letter", object_id=letter, detail={"reason": reason})
    follower = await oldest(uow, row.subject)
    if follower is not None:
        await uow.write(_STATE, letter=follower.id, new_state="parked", next=uow.now)
    return row


async def depth(reads: Reads) -> tuple[int, int]:
    """(parked subjects, unreadable records)."""
    row = await reads.one(_DEPTH)
    return (0, 0) if row is None else (int(row.subjects), int(row.dead))


def as_record(row: Row) -> tuple[TopicPartition, Record]:
    """The record that a letter keeps."""
    return TopicPartition(row.topic, row.partition), Record(row.offset, row.headers, row.payload)


def error_code(error: BaseException) -> str:
    """Where and what, never the message: it may hold personal data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f"@{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
    return f"{type(error).__name__}{where}"
