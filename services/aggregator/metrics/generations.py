"""Which cells are read and written: the active generation, and the one that a rebuild fills beside it.

INVARIANT: a transaction that changes facts holds the state row shared before it reads a fact, a step of a rebuild
holds it alone; so each fact is in the new cells exactly once, by the step or by the change, never by both
(proven by test_a_rebuild_among_arrivals_gives_the_same_figures).
"""

import json
from typing import Final

import sqlalchemy as sa

from services.aggregator.metrics.definitions import METRICS
from services.aggregator.metrics.models import CellState
from services.aggregator.metrics.registry import Metric
from shared.db.statements import Row, table, upsert
from shared.db.uow import Reads, Uow

_state = table(CellState)
_p = sa.bindparam

SUBTOTALS: Final = "subtotals"
"""Stands among the versions of the metrics for the way in which subtotals are kept."""
_OURS: Final = {each.id: each.version for each in METRICS.values()} | {SUBTOTALS: 1}
VERSIONS: Final = json.dumps(_OURS, sort_keys=True)
"""The versions of the metrics in this code, as they are stored."""

FIRST: Final = 1

_STATE = sa.select(_state).where(_state.c.id == "cells")
_HOLD = _STATE.with_for_update(read=True)
_SEIZE = _STATE.with_for_update()
_CREATE = upsert(_state, ["id"], None)
_SPOIL = sa.update(_state).where(_state.c.id == "cells", _state.c.spoiled.is_(False)).values(spoiled=True)
_ABANDON = (
    sa.update(_state)
    .where(_state.c.id == "cells", _state.c.building.isnot(None))
    .values(building=None, building_versions=None)
)
_SAVE = upsert(_state, ["id"], ["active", "versions", "spoiled", "building", "building_versions", "stage", "cursor"])


async def look(reads: Reads) -> Row | None:
    """The state as it is; None before the first fact."""
    return await reads.one(_STATE)


async def active(reads: Reads) -> int:
    """The generation of cells that is read."""
    row = await look(reads)
    return FIRST if row is None else int(row.active)


async def hold(uow: Uow) -> Row:
    """The state, held shared to the end of the transaction; made at its first use."""
    return await _locked(uow, _HOLD)


async def seize(uow: Uow) -> Row:
    """The state, held alone to the end of the transaction: nobody changes a fact meanwhile."""
    return await _locked(uow, _SEIZE)


async def _locked(uow: Uow, statement: sa.Select) -> Row:
    row = await uow.one(statement)
    if row is None:
        await uow.write(
            _CREATE, id="cells", active=FIRST, versions=VERSIONS, spoiled=False, building=None, building_versions=None,
            stage=0, cursor="",
        )  # fmt: skip
        row = await uow.one(statement)
    return row


async def save(uow: Uow, row: Row) -> None:
    """Keep the state ``row`` that was seized and changed (``row._replace(…)``)."""
    await uow.write(_SAVE, **row._asdict())


async def confess(uow: Uow, row: Row) -> None:
    """Say that this code writes to cells made by other versions of the metrics, while a new release is rolled out.

    The active cells are rebuilt once more afterwards, and new cells that are not ours are begun again.
    """
    if row.versions != VERSIONS and not row.spoiled:
        await uow.write(_SPOIL)
    if row.building is not None and row.building_versions != VERSIONS:
        await uow.write(_ABANDON)


def outdated(row: Row) -> bool:
    """Whether this code should rebuild the active cells.

    A metric must be newer here than there: while old and new replicas run side by side, the old ones never undo what
    the new ones have built. What was spoiled is rebuilt by those who know every version in it.
    """
    stored: dict[str, int] = json.loads(row.versions)
    ours = [(version, stored.get(name, 0)) for name, version in _OURS.items()]
    newer = any(version > there for version, there in ours)
    older = any(version < there for version, there in ours) or not stored.keys() <= _OURS.keys()
    return newer or (row.spoiled and not older)


def made_by_us(row: Row | None, metric: str) -> bool:
    """Whether the active cells of ``metric`` were made by its version in this code alone."""
    if row is None:
        return True
    return not row.spoiled and json.loads(row.versions).get(metric) == METRICS[metric].version


def legible(row: Row | None, metric: Metric) -> bool:
    """Whether the buckets of the active cells mean what they mean here: those of a service level did not always."""
    if row is None or metric.kind != "service_level":
        return True
    return bool(json.loads(row.versions).get(metric.id) == metric.version)


def has_subtotals(row: Row | None) -> bool:
    """Whether all that was written to the active cells went to the subtotals too."""
    return row is None or (not row.spoiled and json.loads(row.versions).get(SUBTOTALS) == _OURS[SUBTOTALS])
