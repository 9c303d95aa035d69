"""A rebuild beside the live cells: the same figures, whatever arrives between its steps."""

import json
import random

import pytest

from services.aggregator.facts import rebuild
from services.aggregator.metrics import generations


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(rebuild, "FACTS_A_STEP", 3)
    monkeypatch.setattr(rebuild, "ROWS_A_STEP", 5)


async def _state(figures):
    return await figures.db.read(generations.look)


async def test_nothing_is_done_without_a_reason(figures, tell_visit):
    assert await figures.rebuild_step() == 0
    await figures.tell(tell_visit())
    assert await figures.rebuild_step() == 0
    assert await figures.active() == 1


@pytest.mark.usefixtures("small_steps")
async def test_a_rebuild_among_arrivals_gives_the_same_figures(figures, tell_visit, tell_invitation):
    for seed in range(6):
        rng = random.Random(seed)
        await figures.empty()
        await figures.tell(*(tell_visit(f"v{i:02d}", "waiting") for i in range(0, 20, 2)))
        await figures.tell(*(tell_invitation(f"i{i}") for i in range(5)))
        await figures.ask_for_rebuild()
        while (await _state(figures)).building is not None:
            name = f"v{rng.randint(0, 21):02d}"
            await figures.tell(
                tell_visit(name, "served", sequence=rng.randint(2, 9), wait=rng.randint(0, 3_000)),
                tell_invitation(f"i{rng.randint(0, 6)}", [rng.randint(1, 5)], sequence=rng.randint(2, 9)),
            )
            await figures.assert_true()
            await figures.rebuild_step()
        assert await figures.active() == 2
        await figures.assert_true()
        await figures.rebuilt()
        assert await figures.cells(1) == {}
        await figures.assert_true()


async def _stored_versions(figures, **changed):
    async def save(uow):
        state = await generations.seize(uow)
        versions = json.loads(state.versions) | changed
        await generations.save(uow, state._replace(versions=json.dumps(versions, sort_keys=True)))

    await figures.db.write(save, actor="test")


@pytest.mark.usefixtures("small_steps")
async def test_new_versions_rebuild_by_themselves(figures, tell_visit):
    await figures.tell(*(tell_visit(f"v{i}") for i in range(10)))
    await _stored_versions(figures, **{"visits.opened": 0})
    assert not generations.made_by_us(await _state(figures), "visits.opened")
    assert await figures.rebuilt() > 5
    state = await _state(figures)
    assert (state.active, state.versions, state.building) == (2, generations.VERSIONS, None)
    assert generations.made_by_us(state, "visits.opened")
    await figures.assert_true()


async def test_old_code_never_undoes_what_new_code_built(figures, tell_visit):
    await figures.tell(tell_visit())
    await _stored_versions(figures, **{"visits.opened": 99})
    assert await figures.rebuilt() == 0
    await figures.tell(tell_visit("v2"))
    state = await _state(figures)
    assert state.spoiled
    assert await figures.rebuilt() == 0
    # The new code sees that old code wrote to its cells, and makes them once more.
    await _stored_versions(figures, **{"visits.opened": 1})
    assert await figures.rebuilt() > 0
    state = await _state(figures)
    assert not state.spoiled
    await figures.assert_true()


async def test_old_code_abandons_a_build_of_other_versions(figures, tell_visit):
    await figures.tell(tell_visit())

    async def other(uow):
        state = await generations.seize(uow)
        newer = json.dumps(json.loads(generations.VERSIONS) | {"visits.opened": 99}, sort_keys=True)
        await generations.save(uow, rebuild._begun(state)._replace(building_versions=newer))

    await figures.db.write(other, actor="test")
    assert await figures.rebuild_step() == 0
    await figures.tell(tell_visit("v2"))
    assert (await _state(figures)).building is None
