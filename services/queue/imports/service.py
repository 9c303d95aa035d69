"""Use cases of imports: begin a run, keep a chunk of lines with all its effects, give a run up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.queue.imports import queries, rules
from services.queue.imports.rows import Reject
from shared.db.statements import Row
from shared.db.uow import Uow
from shared.events.crash import crash
from shared.events.outgoing import Outgoing

MAX_REJECTS = 200_000
"""Refused lines listed one by one of each run; all are counted."""


class Entry(NamedTuple):
    """An accepted line, ready to be kept: the visit's columns and the event that tells it."""

    visit: dict[str, Any]
    event: Outgoing


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive lines of a file; ``last`` when none follow, then with the reason if the file broke off."""

    entries: Sequence[Entry]
    rejects: Sequence[Reject]
    last: bool
    damage: str | None


class Overtaken(Exception):
    """Another worker moved the run on; nothing of this chunk was kept."""


async def begin(uow: Uow, *, run: str, unit: str, format_name: str, sha256: str, size: int) -> Row:
    """A run for a file that is on disk."""
    row = {
        "id": run,
        "unit": unit,
        "format": format_name,
        "sha256": sha256,
        "size": size,
        "status": "queued",
        "failure": None,
        "lines": 0,
        "accepted": 0,
        "rejected": 0,
        "unchanged": 0,
        "rejected_by_code": {},
        "created_by": uow.actor,
        "created_at": uow.now,
        "started_at": None,
        "finished_at": None,
        "version": 1,
    }
    await uow.write(queries.ADD, **row)
    detail: dict[str, str | int | bool | None] = {"format": format_name, "sha256": sha256, "size": size}
    await uow.audit("import.begun", object_type="import_run", object_id=run, unit=unit, detail=detail)
    return await uow.one(queries.RUN, run=run)


async def keep(uow: Uow, run: Row, chunk: Chunk) -> Row:
    """Keep a chunk: visits, events, rejects and how far the run is, together or not at all; returns the run.

    Of several lines with one key the last counts; a line that tells nothing new changes nothing and tells nobody.

    INVARIANT: a run killed at any moment goes on after its last kept chunk without loss or doubling, as the position is
    part of the chunk's transaction (proven by test_a_killed_import_goes_on_without_loss_or_doubling).
    """
    changed, unchanged = await _changed(uow, chunk.entries)
    codes = Counter(run.rejected_by_code) + Counter(reject.code for reject in chunk.rejects)
    await _move(
        uow,
        run,
        status="completed" if chunk.last else "running",
        failure=chunk.damage,
        accepted=run.accepted + len(chunk.entries),
        unchanged=run.unchanged + unchanged,
        codes=dict(codes),
    )
    await uow.many(queries.STORE_VISIT, [entry.visit for entry in changed], distinct=True)
    await uow.emit_many([entry.event for entry in changed])
    listed = chunk.rejects[: max(0, MAX_REJECTS - run.rejected)]
    await uow.many(
        queries.ADD_REJECT,
        [{"run": run.id, "line_no": r.line_no, "field": r.field, "code": r.code} for r in listed],
    )
    crash("import:before-commit")
    return await uow.one(queries.RUN, run=run.id)


async def give_up(uow: Uow, run: Row, failure: str) -> None:
    """End a run that cannot go on; what it has kept stays."""
    await _move(
        uow, run, status="failed", failure=failure, accepted=run.accepted, unchanged=run.unchanged,
        codes=run.rejected_by_code,
    )  # fmt: skip


async def _changed(uow: Uow, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """The last entry of each visit that says something new, and how many entries say nothing new."""
    stored: dict[str, str | None] = dict.fromkeys({entry.visit["id"] for entry in entries})
    for row in await uow.all(queries.STORED, visits=sorted(stored)):
        stored[row.id] = row.content
    latest, unchanged = dict(stored), 0
    changed: dict[str, Entry] = {}
    for entry in entries:
        visit = entry.visit["id"]
        if rules.changes(latest[visit], entry.visit["content"]):
            latest[visit], changed[visit] = entry.visit["content"], entry
        else:
            unchanged += 1
    return [
        entry for visit, entry in changed.items() if rules.changes(stored[visit], entry.visit["content"])
    ], unchanged


async def _move(
    uow: Uow, run: Row, *, status: str, failure: str | None, accepted: int, unchanged: int, codes: dict[str, int]
) -> None:
    rejected = sum(codes.values())
    moved = await uow.execute(
        queries.PROGRESS,
        run=run.id,
        old_version=run.version,
        new_status=status,
        new_failure=failure,
        new_lines=accepted + rejected,
        new_accepted=accepted,
        new_rejected=rejected,
        new_unchanged=unchanged,
        by_code=codes,
        started=run.started_at or uow.now,
        finished=None if status == "running" else uow.now,
    )
    if not moved:
        raise Overtaken(run.id)
