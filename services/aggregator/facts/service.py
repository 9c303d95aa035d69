"""Changing facts and, in the same transaction, the cells by what changed."""

from collections.abc import Sequence
from zlib import crc32

from services.aggregator.facts.kinds import FactKind
from services.aggregator.facts.rules import Told
from services.aggregator.metrics import generations
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.values import Contribution, Fact
from shared.db.statements import Row
from shared.db.uow import Uow

Change = tuple[str, Fact | None, Told]
"""A subject's key, its fact before, and what is told of it now."""


async def fold(uow: Uow, kind: FactKind, told: Sequence[Told]) -> None:
    """Keep what is newer than the kept facts, at most one of a subject, and correct the cells.

    INVARIANT: cells are the contributions of the kept facts, whatever order, duplication and lateness the events come
    with (proven by test_any_order_gives_the_cells_of_the_final_facts). A subject's events come from one partition,
    whose offset the consumer's transaction holds from its start: no two transactions fold the same subject at once,
    also before it has a row that could be locked.
    """
    state = await generations.hold(uow)
    by_key = {each.row[kind.key]: each for each in told}
    kept = {row[0]: row for row in await uow.all(kind.locked, keys=sorted(by_key))}
    changes: list[Change] = []
    for key, each in sorted(by_key.items()):
        row = kept.get(key)
        if row is None:
            changes.append((key, None, each))
        elif row.sequence < each.row["sequence"]:
            changes.append((key, kind.kept(row), each))
    if not changes:
        return
    await generations.confess(uow, state)
    await uow.many(kind.saving, [each.row for _, _, each in changes], distinct=True)
    stripe = crc32(changes[0][0].encode())
    await metrics.add(uow, state.active, _difference(changes), stripe=stripe)
    if state.building is not None:
        passed = [change for change in changes if _passed(state, kind, change[0])]
        await metrics.add(uow, state.building, _difference(passed), stripe=stripe)


def _difference(changes: Sequence[Change]) -> list[Contribution]:
    return contributions([new.fact for _, _, new in changes], [old for _, old, _ in changes if old is not None])


def _passed(state: Row, kind: FactKind, key: str) -> bool:
    """Whether the rebuild has folded this key's fact already, or would have, had there been one."""
    return kind.stage < state.stage or (kind.stage == state.stage and key <= state.cursor)
