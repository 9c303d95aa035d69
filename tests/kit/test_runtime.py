"""A service's loops: what stops the consumer is said aloud, and nothing is lost."""

import asyncio
from dataclasses import replace

import pytest

from shared.app import DataFolderInUse
from shared.contracts.staff import PersonState
from shared.events import positions
from shared.events.handlers import project
from shared.testing.system import system
from shared.testing.tally.spec import SPEC
from shared.testing.tally.tables import ALL, add


@project(PersonState)
async def count(uow, events):
    for event in events:
        await add(uow, f"seen-{event.subject}", 1)


LISTENING = replace(SPEC, handlers=(count,))


async def totals(running):
    return {row.name: row.amount for row in await running.runtime("tally").db.read(lambda reads: reads.all(ALL))}


async def tell(running):
    await running.call("POST", "/tally/v1/totals/a/additions", "teller", json={"amount": 1}, expect=201)


async def until(condition):
    """Wait, at most ten seconds."""
    for _ in range(500):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come")


async def flow(running):
    return (await running.call("GET", "/operator/v1/tally/flow", "operator", expect=200)).json()


async def test_what_is_told_over_http_comes_back_as_an_effect(tmp_path):
    async with system([LISTENING], tmp_path, loops=True) as running:
        await tell(running)
        await until(lambda: seen(running, 1))
        await tell(running)
        await until(lambda: seen(running, 2))


async def seen(running, n):
    return (await totals(running)).get("seen-a") == n


async def test_a_log_made_anew_stops_the_consumer_loudly_until_a_resync(tmp_path):
    async with system([LISTENING], tmp_path) as running:
        await tell(running)
        await running.settle()
    for file in tmp_path.glob("bus.sqlite3*"):
        file.unlink()
    async with system([LISTENING], tmp_path, loops=True) as running:
        await tell(running)
        runtime = running.runtime("tally")

        async def stopped():
            return runtime.stopped is not None

        await until(stopped)
        assert "made anew" in (await flow(running))["stopped"]
        assert await totals(running) == {"a": 2, "seen-a": 1}
        body = {"topic": "staff.directory", "offset": 0}
        await running.call("POST", "/operator/v1/tally/resync", "operator", json=body, expect=200)
        await until(lambda: seen(running, 2))
        assert (await flow(running))["stopped"] is None


async def test_a_rewind_by_the_operator_is_a_replay(tmp_path):
    async with system([LISTENING], tmp_path) as running:
        await tell(running)
        await running.settle()
        body = {"topic": "staff.directory", "offset": 0}
        await running.call("POST", "/operator/v1/tally/rewind", "operator", json=body, expect=200)
        stored = await running.runtime("tally").db.read(lambda reads: positions.of_topic(reads, "staff.directory"))
        assert {position.next for position in stored.values()} == {0}
        await running.settle()
        assert await totals(running) == {"a": 1, "seen-a": 2}  # this projection has no guard, so it shows the replay


async def test_a_second_process_on_the_same_folder_is_refused_clearly(tmp_path):
    async with system([SPEC], tmp_path):
        with pytest.raises(DataFolderInUse, match="another process runs on the data folder"):
            async with system([SPEC], tmp_path):
                pass
