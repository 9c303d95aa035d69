"""The same figures after a restart, a replay, a double start and an ordered rebuild."""

import pytest

from services.aggregator.spec import SPEC
from shared.events.consumer import Consumer
from shared.events.positions import OffsetMoved

PATH = "/aggregator/v1/rebuild"


async def _figures(aggregator):
    return await aggregator.figures.cells(), await aggregator.figures.rollups()


async def test_an_operator_orders_a_rebuild(aggregator, tell_visit, tell_invitation):
    await aggregator.publish(*(tell_visit(f"v{i}", wait=i) for i in range(30)), tell_invitation(scores=[4]))
    before = await _figures(aggregator)
    accepted = await aggregator.call("POST", PATH, "operator", expect=202)
    again = await aggregator.call("POST", PATH, "operator", expect=202)
    assert accepted.json() == again.json() == {"generation": 2}
    await aggregator.publish(tell_visit("v3", "served", wait=3, sequence=2))
    assert await aggregator.figures.active() == 2
    assert await _figures(aggregator) == before
    assert await aggregator.figures.cells(1) == {}


async def test_only_an_operator_may(aggregator):
    for role in ("head_office", "auditor", "teller", "integration"):
        await aggregator.call("POST", PATH, role, expect=403)


async def test_a_replay_from_the_beginning_changes_nothing(aggregator, tell_visit, tell_invitation):
    await aggregator.publish(*(tell_visit(f"v{i}", wait=i * 50) for i in range(30)), tell_invitation(scores=[4]))
    before = await _figures(aggregator)
    for topic in ("queue.events", "surveys.events"):
        body = {"topic": topic, "offset": 0}
        await aggregator.call("POST", "/operator/v1/aggregator/rewind", "operator", json=body, expect=200)
    await aggregator.system.settle()
    assert await _figures(aggregator) == before


async def test_a_second_start_counts_nothing_twice(aggregator, tell_visit):
    await aggregator.publish(*(tell_visit(f"v{i}", wait=i * 50) for i in range(10)))
    before = await _figures(aggregator)
    first, running = aggregator.runtime, aggregator.system
    second = Consumer("aggregator", first.db, running.app.state.bus, SPEC.all_handlers, first.metrics, running.clock)
    assert await second.turn() == 0
    await aggregator.publish(tell_visit("v3", wait=150))
    # It has read the event too, but the offset has moved on: it writes nothing.
    with pytest.raises(OffsetMoved):
        await second.turn()
    await second.stop()
    assert await _figures(aggregator) == before


async def test_a_restarted_process_reads_the_same_figures(tmp_path, aggregator_in, tell_visit):
    async with aggregator_in(tmp_path) as first:
        await first.publish(*(tell_visit(f"v{i}", wait=i * 50) for i in range(10)))
        before = await _figures(first)
    async with aggregator_in(tmp_path) as second:
        await second.system.settle()
        assert await _figures(second) == before
