"""Workers of one group as processes on Kafka: killed, added, frozen past their session and let go on as zombies."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.testing.stack.children import stop
from tests.distributed.tools import wangdian
from tests.faults.rig import connected, until

GROUPS = ("aggregator", "surveys")


async def members(scene, group):
    """How many members Kafka knows in the group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.stack.kafka.bootstrap)
    await admin.start()
    try:
        (reply,) = await admin.describe_consumer_groups([group])
        ((_, _, state, _, _, found, *_),) = reply.groups
        return len(found) if state == "Stable" else 0
    finally:
        await admin.close()


async def have(scene, count):
    """Wait until each group has this many members."""
    for group in GROUPS:

        async def as_many(group=group):
            return await members(scene, group) == count

        await until(as_many, 40)


async def each_event_had_one_effect(scene):
    """One invitation for each served visit and none else, one inbox entry each; facts at the newest event."""
    async with connected(scene.stack, "queue") as queue, connected(scene.stack, "surveys") as surveys:
        served = [
            row["id"] for row in await queue.fetch("SELECT id FROM visit WHERE status = 'served' AND origin = 'live'")
        ]
        invited = [row["visit"] for row in await surveys.fetch("SELECT visit FROM invitation")]
        assert sorted(served) == sorted(invited)
        assert await surveys.fetchval("SELECT count(*) FROM inbox") == len(served)
        last = await queue.fetch("SELECT subject, sequence FROM subject_sequence s JOIN visit v ON v.id = s.subject")
    async with connected(scene.stack, "aggregator") as aggregator:
        facts = await aggregator.fetch("SELECT visit, sequence FROM fact_visit")
    assert {tuple(row) for row in facts} == {tuple(row) for row in last}


@asynccontextmanager
async def seconds(scene) -> AsyncIterator[list[str]]:
    """A second worker in each group."""
    started = [await asyncio.to_thread(scene.stack.beside, group, "work", 2) for group in GROUPS]
    try:
        yield started
    finally:
        stop([scene.stack.children.pop(name) for name in started])


async def test_a_worker_is_killed_one_is_added_one_comes_back_as_a_zombie(scene):
    stack = scene.stack
    async with seconds(scene) as started:
        async with scene.customers(visits=400):
            await have(scene, 2)
            for name in started:
                stack.kill(name)
            await have(scene, 1)
            for name in started:
                await asyncio.to_thread(stack.start, name)
            await have(scene, 2)
            for group in GROUPS:
                stack.children[f"{group} work"].send(signal.SIGSTOP)
            await have(scene, 1)
            # The others have taken over what the frozen ones had in hand; now those go on as if nothing had been.
            await asyncio.sleep(1)
            for group in GROUPS:
                stack.children[f"{group} work"].send(signal.SIGCONT)
        await have(scene, 2)
    await scene.caught_up()
    await each_event_had_one_effect(scene)


@pytest.mark.parametrize("fault", ["ahead of the log", "behind the log", "another log", "topic made anew"])
async def test_a_log_that_moved_is_loud_until_somebody_decides(scene, fault):
    stack, topic = scene.stack, "surveys.events"
    async with connected(stack, "aggregator") as aggregator:
        before = await aggregator.fetch("SELECT * FROM consumer_offset WHERE topic = $1", topic)
        assert before
        if fault == "ahead of the log":
            await aggregator.execute("UPDATE consumer_offset SET next = next + 1000 WHERE topic = $1", topic)
        elif fault == "another log":
            await aggregator.execute("UPDATE consumer_offset SET log = 'of-another-cluster' WHERE topic = $1", topic)
        elif fault == "behind the log":
            await stack.kafka.shorten(topic)
            await aggregator.execute("UPDATE consumer_offset SET next = 0 WHERE topic = $1", topic)
        else:
            await stack.kafka.remove(topic)
            await stack.kafka.make(topic)
        rows = await aggregator.fetch("SELECT * FROM consumer_offset WHERE topic = $1", topic)
        placed = {row["partition"]: row["next"] for row in rows}
    # Events of that topic: nobody may take them as if nothing were wrong.
    await scene.come(20)

    async def stopped():
        return "STOPPED" in wangdian(stack, "events", "flow", "--url", stack.operations)

    await until(stopped, 40)
    async with connected(stack, "aggregator") as aggregator:
        kept = await aggregator.fetch("SELECT * FROM consumer_offset WHERE topic = $1", topic)
    # Where the API sees the log's end grow, it says so; where to read on is nobody's to change.
    assert {row["partition"]: row["next"] for row in kept} == placed
    wangdian(stack, "events", "resync", topic, "--service", "aggregator", "--url", stack.operations)
    await scene.caught_up()
    await each_event_had_one_effect(scene)
