"""The outbox: an event is a row in the transaction that changes the state, or it does not exist.

Taking the subject's next sequence locks the subject's row, so two transactions on one subject tell in the order in
which they commit (without it 266 of 400 concurrent writes were out of order).
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from shared.db.statements import insert, upsert
from shared.db.tables import outbox, subject_sequence
from shared.db.types import any_of
from shared.events.envelope import headers_of
from shared.events.outgoing import Outgoing
from shared.ids import uuid7
from shared.observability.tracing import current_traceparent

if TYPE_CHECKING:
    from shared.db.uow import Uow

MAX_PAYLOAD = 200_000

_NEXT = upsert(subject_sequence, ["subject"], {"sequence": subject_sequence.c.sequence + 1}).returning(
    subject_sequence.c.sequence
)
# Adding locks the row of a known subject and of a new one; reading first would not lock what is not there yet.
_ADD = upsert(
    subject_sequence, ["subject"], {"sequence": subject_sequence.c.sequence + sa.literal_column("excluded.sequence")}
)
_LAST = sa.select(subject_sequence.c.subject, subject_sequence.c.sequence).where(
    any_of(subject_sequence.c.subject, "subjects")
)
_BEGIN = insert(subject_sequence)
_STORE = insert(outbox, without=("seq", "published_at"))


class EventTooLarge(ValueError):
    """An event larger than the topic takes is refused here, in the unit of work, not later in the relay."""


async def store(uow: "Uow", events: Sequence[Outgoing]) -> None:
    """Insert the events in their order; those of one subject get consecutive sequences."""
    if not events:
        return
    if len(events) == 1:
        sequence = await uow.scalar(_NEXT, subject=events[0].subject, sequence=1)
        await uow.write(_STORE, **_row(uow, events[0], sequence, current_traceparent()))
        return
    counts = Counter(event.subject for event in events)
    # In one order everywhere, so that two units never wait for each other.
    subjects = sorted(counts)
    await uow.many(_ADD, [{"subject": subject, "sequence": counts[subject]} for subject in subjects], distinct=True)
    last = {row.subject: row.sequence - counts[row.subject] for row in await uow.all(_LAST, subjects=subjects)}
    rows = []
    trace = current_traceparent()
    for event in events:
        last[event.subject] += 1
        rows.append(_row(uow, event, last[event.subject], trace))
    await uow.many(_STORE, rows)


async def begin(uow: "Uow", event: Outgoing) -> None:
    """Insert the first event of a new subject."""
    await uow.write(_BEGIN, subject=event.subject, sequence=1)
    await uow.write(_STORE, **_row(uow, event, 1, current_traceparent()))


def _row(uow: "Uow", event: Outgoing, sequence: int, traceparent: str) -> dict[str, Any]:
    payload = event.data.write()
    if len(payload) > MAX_PAYLOAD:
        raise EventTooLarge(event.data.event_type)
    event_id = uuid7()
    return {
        "event_id": event_id,
        "topic": event.data.topic,
        "subject": event.subject,
        "headers": headers_of(
            event_id=event_id,
            service=uow.context.service,
            data=event.data,
            subject=event.subject,
            sequence=sequence,
            occurred_at=event.occurred_at,
            recorded_at=uow.now,
            origin=event.origin,
            traceparent=traceparent,
        ),
        "payload": payload,
        "created_at": uow.now,
    }
