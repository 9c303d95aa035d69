"""Making all cells anew from the facts, beside those that are read, in short steps; then changing over."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from services.aggregator.facts.kinds import KINDS
from services.aggregator.metrics import generations, queries, subtotals
from services.aggregator.metrics import service as metrics
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.generations import VERSIONS
from shared.db.statements import Row
from shared.db.uow import Uow

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

FACTS_A_STEP: Final = 1_000
"""Live events wait for one step at most: some tens of milliseconds."""
ROWS_A_STEP: Final = 2_000


async def request(uow: Uow) -> int:
    """Ask for a rebuild; the loop carries it out. Returns the generation that will be read afterwards."""
    state = await generations.seize(uow)
    if state.building is None:
        state = _begun(state)
        await generations.save(uow, state)
    await uow.audit("cells.rebuild", object_type="cells", object_id="cells", detail={"generation": state.building})
    return int(state.building)


def make_turn(runtime: "ServiceRuntime") -> Callable[[], Awaitable[int]]:
    """The loop's turn: one step; 0 when there is nothing to rebuild and nothing to clear away."""
    actor = f"{runtime.name}.rebuild"

    async def turn() -> int:
        return await runtime.db.write(step, actor=actor)

    return turn


async def step(uow: Uow) -> int:
    """Begin, fold the next facts, change over, or clear old cells away; returns how much was done."""
    state = await generations.look(uow)
    if state is None:
        return 0
    if state.building is None and not generations.outdated(state):
        return sum([await uow.execute(drop, active=state.active, most=ROWS_A_STEP) for drop in queries.DROP_OLD])
    state = await generations.seize(uow)
    if state.building is None:
        await generations.save(uow, _begun(state))
        return 1
    if state.building_versions != VERSIONS:
        if not generations.outdated(state._replace(versions=state.building_versions, spoiled=False)):
            return 0  # newer code is building; it will go on
        await generations.save(uow, _begun(state))
        return 1
    return await _advance(uow, state)


def _begun(state: Row) -> Row:
    building = max(state.active, state.building or 0) + 1
    return state._replace(building=building, building_versions=VERSIONS, stage=0, cursor="")


async def _advance(uow: Uow, state: Row) -> int:
    if state.stage == len(KINDS):
        placed = await subtotals.place_some(uow)
        if placed:
            return placed
        # Whoever writes with other versions of the metrics has abandoned this build: what is built is never spoiled.
        changed = state._replace(
            active=state.building, versions=VERSIONS, spoiled=False, building=None, building_versions=None
        )
        await generations.save(uow, changed)
        return 1
    kind = KINDS[state.stage]
    rows = await uow.all(kind.following, cursor=state.cursor, most=FACTS_A_STEP)
    changes = contributions([kind.kept(row) for row in rows])
    await metrics.add(uow, state.building, changes, stripe=state.stage)
    if len(rows) < FACTS_A_STEP:
        state = state._replace(stage=state.stage + 1, cursor="")
    else:
        state = state._replace(cursor=rows[-1][0])
    await generations.save(uow, state)
    return len(rows) or 1
