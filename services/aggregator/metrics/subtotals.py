"""Subtotals of the units inside the tree: brought up to date behind the events, right at every moment.

INVARIANT: the subtotals of a unit and the carries of the units below it are the sum of those units' cells, in every
snapshot (proven by test_any_unit_has_the_sum_of_the_facts_below_it). Who changes cells writes the same change as a
carry; :func:`carry_up` moves carries into subtotals; :func:`place` moves what a unit has in subtotals when the unit
moves in the tree. The two hold one lock, so that neither sees the other's half.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from services.aggregator.metrics import generations, lifting
from services.aggregator.metrics.definitions import METRICS
from shared.db.statements import Row
from shared.db.uow import Reads, Uow

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

CARRIES_A_STEP: Final = 20_000
"""On SQLite other writes wait for one step: some hundred milliseconds in a backlog, a few otherwise."""
RUNS_A_STEP: Final = 8
UNITS_A_STEP: Final = 500


def make_turn(runtime: "ServiceRuntime") -> Callable[[], Awaitable[int]]:
    """The loop that carries up; who finds nothing has written nothing."""

    async def turn() -> int:
        if await runtime.db.read(lambda reads: reads.one(lifting.WAITING)) is None:
            return 0
        return await runtime.db.write(carry_up, actor=f"{runtime.name}.subtotals")

    return turn


def make_check(runtime: "ServiceRuntime") -> Callable[[], Awaitable[int]]:
    """The loop that places units which the directory told before there were subtotals, or without our knowing."""

    async def turn() -> int:
        if not await runtime.db.read(lambda reads: _misplaced(reads, 1)):
            return 0
        return await runtime.db.write(place_some, actor=f"{runtime.name}.tree")

    return turn


async def carry_up(uow: Uow) -> int:
    """Bring the oldest carries into the subtotals; returns how many."""
    await _hold(uow)
    done = 0
    # The very rows that were seen: on PostgreSQL others, also older ones, may become visible between the statements.
    # A transaction that is still under way leaves gaps, which are gone in a moment.
    for first, last in (await uow.all(lifting.RUNS, most=CARRIES_A_STEP))[:RUNS_A_STEP]:
        for statement in lifting.CARRY_UP:
            await uow.execute(statement, first=first, last=last)
        done += await uow.execute(lifting.CARRIED, first=first, last=last)
    return done


async def place_some(uow: Uow) -> int:
    """Place some of the units that are not where the directory has them; returns how many."""
    await _hold(uow)
    return await _move(uow, await _misplaced(uow, UNITS_A_STEP))


async def place(uow: Uow, units: Sequence[str]) -> None:
    """Count ``units`` for the units that are above them now, and no longer for those that were."""
    await _hold(uow)
    await _move(uow, await uow.all(lifting.MISPLACED_OF, units=units))


async def _misplaced(reads: Reads, most: int) -> list[Row]:
    return await reads.all(lifting.MISPLACED, most=most)


async def _hold(uow: Uow) -> None:
    await uow.execute(lifting.HOLD, id="subtotals")


async def _move(uow: Uow, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    units = sorted(row.unit for row in rows)
    state = await generations.look(uow)
    # A generation that is begun meanwhile has carries alone, which find their way by themselves.
    kept = [] if state is None else [each for each in (state.active, state.building) if each is not None]
    settled = {"generations": kept, "metrics": list(METRICS), "units": units}
    if any(row.before is not None for row in rows):
        for statement in lifting.SHIFT:
            await uow.execute(statement, sign=-1, **settled)
    await uow.execute(lifting.DROP_ABOVE, units=units)
    pairs = [{"unit": row.unit, "above": each} for row in rows for each in above_of(row.path)]
    await uow.many(lifting.ADD_ABOVE, pairs, distinct=True)
    for statement in lifting.SHIFT:
        await uow.execute(statement, sign=1, **settled)
    await uow.many(lifting.KEEP_PLACE, [{"unit": row.unit, "path": row.path} for row in rows], distinct=True)
    return len(rows)


def above_of(path: str) -> list[str]:
    """The units above the last one of a path, the root first."""
    return [each for each in path.split("/") if each][:-1]
