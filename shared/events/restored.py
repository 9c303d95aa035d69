"""After a restore from a backup: what the service had told since then, and sequences that go on behind it.

A database that is restored to an earlier moment has forgotten events that others know. What was told stays told: it
happened. But the next event of such a subject would get a sequence that its readers have seen, and be passed over in
silence; so each subject's sequence is raised to the last that the bus holds, before anything new is told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from shared.bus.base import Bus, Position, TopicPartition
from shared.db.database import Database
from shared.db.statements import upsert
from shared.db.tables import subject_sequence as _known
from shared.db.types import any_of
from shared.db.uow import Reads, Uow
from shared.ids import uuid7

PAGE = 1000

_KNOWN = sa.select(_known.c.subject, _known.c.sequence).where(any_of(_known.c.subject, "subjects"))
_RAISE = upsert(_known, ["subject"], ["sequence"], where=lambda old, new: old.sequence < new.sequence)


class Forgotten(NamedTuple):
    """A subject with events on the bus that the database does not have: ``kept`` is the last it has (0: none)."""

    subject: str
    kept: int
    told: int
    type: str


async def told_since(bus: Bus, service: str, topics: Sequence[str], since: datetime) -> Mapping[str, tuple[int, str]]:
    """By subject the last sequence, and the type told with it, of this service's events stored since ``since``."""

    async def beginning(sources: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {}

    last: dict[str, tuple[int, str]] = {}
    for topic in topics:
        subscription = await bus.subscribe(f"restored-{uuid7()}", [topic], beginning)
        try:
            while batches := await subscription.fetch(limit=PAGE, wait=0):
                for batch in batches:
                    for record in batch.records:
                        headers = record.headers
                        if headers.get("ce_source") != f"/services/{service}":
                            continue
                        if datetime.fromisoformat(headers["ce_recordedtime"]) < since:
                            continue
                        subject, found = headers["ce_subject"], (int(headers["ce_sequence"]), headers["ce_type"])
                        last[subject] = max(last.get(subject, (0, "")), found)
        finally:
            await subscription.close()
    return last


async def recover(db: Database, last: Mapping[str, tuple[int, str]], *, actor: str) -> list[Forgotten]:
    """Raise the sequences; what was forgotten, by subject. A second time finds nothing.

    INVARIANT: after it no subject is told under a sequence that the bus has already
    (tests/kit/events/test_restored.py::test_what_is_told_after_a_restore_is_not_passed_over).
    """
    forgotten: list[Forgotten] = []
    subjects = sorted(last)
    for start in range(0, len(subjects), PAGE):
        page = subjects[start : start + PAGE]

        async def known(reads: Reads, page: list[str] = page) -> dict[str, int]:
            return {row.subject: row.sequence for row in await reads.all(_KNOWN, subjects=page)}

        kept = await db.read(known)
        behind = [Forgotten(s, kept.get(s, 0), *last[s]) for s in page if kept.get(s, 0) < last[s][0]]
        if not behind:
            continue

        async def lift(uow: Uow, behind: list[Forgotten] = behind) -> None:
            await uow.many(_RAISE, [{"subject": one.subject, "sequence": one.told} for one in behind], distinct=True)
            await uow.audit(
                "events.sequences_raised", object_type="restore", object_id=uuid7(), detail={"subjects": len(behind)}
            )

        await db.write(lift, actor=actor)
        forgotten += behind
    return forgotten
