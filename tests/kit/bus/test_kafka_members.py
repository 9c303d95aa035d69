"""Members of a group that come, go, freeze and lose their topic: nothing is skipped, and what is wrong is loud."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from shared.bus.base import BusUnavailable, LogChanged, OffsetOutOfRange, Position
from shared.bus.kafka import client as client_module
from shared.bus.kafka import member as member_module
from tests.kit.bus import contract
from tests.kit.bus.kafka_rig import Named

KEYS = "abcdefghi"


class Group:
    """Members that keep their positions in one place, by compare-and-set, as the consumers' database does."""

    def __init__(self, kafka, prefix):
        self.kafka, self.prefix = kafka, prefix
        self.stored = {}
        self.seen = []
        self.refused = 0

    async def positions(self, sources):
        """What the database answers at an assignment."""
        return {source: self.stored[source] for source in sources if source in self.stored}

    async def handle(self, member, batch):
        """The effects of a batch and its offset, or neither."""
        before = self.stored.get(batch.source, Position(batch.start, batch.log))
        if before != (batch.start, batch.log):
            self.refused += 1
            member.rewind()
            return
        self.stored[batch.source] = Position(batch.records[-1].offset + 1, batch.log)
        self.seen += [(batch.source.partition, record.offset) for record in batch.records]
        await member.done(batch.source, batch.records[-1].offset + 1)

    @asynccontextmanager
    async def member(self, **options):
        """A process of the group: handles until the block ends."""
        bus = Named(self.kafka, self.prefix, **options)
        await bus.open()
        subscription = await bus.subscribe("g", ["one"], self.positions)

        async def work():
            while True:
                for batch in await subscription.fetch(limit=20, wait=0.2):
                    await self.handle(subscription, batch)

        task = asyncio.create_task(work())
        try:
            yield subscription
        finally:
            task.cancel()
            await asyncio.wait({task})
            await bus.close()
            if not task.cancelled():
                task.result()


@pytest.fixture
async def bus(kafka):
    """A bus with a topic of its own."""
    made = Named(kafka)
    await kafka.make(made.prefix + "one", made.prefix + "two")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def group(kafka, bus):
    """A group on the topic."""
    return Group(kafka, bus.prefix)


async def until(condition, seconds=30):
    """Wait for ``condition()``."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition of a test
            await asyncio.sleep(0.05)


async def test_members_share_come_and_go_and_each_record_has_its_effect_once(bus, group):
    sent, stop = 0, asyncio.Event()

    async def speak():
        nonlocal sent
        while not stop.is_set():
            outcomes = await bus.publish([contract.message(key, sent) for key in KEYS])
            sent += sum(outcome is None for outcome in outcomes)
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    async with group.member() as first:
        await until(lambda: len(group.seen) > 20)
        assert len(first.assigned()) == 3
        async with group.member() as second:
            await until(lambda: first.assigned() and second.assigned())
            assert first.assigned() | second.assigned() == {*group.stored}
            assert not first.assigned() & second.assigned()
            at = len(group.seen)
            await until(lambda: len(group.seen) > at + 50)
        await until(lambda: len(first.assigned()) == 3)
        stop.set()
        await speaking
        await until(lambda: len(group.seen) >= sent)
    assert len(group.seen) == len(set(group.seen)) == sent
    for partition in range(3):
        offsets = [offset for p, offset in group.seen if p == partition]
        assert offsets == list(range(len(offsets)))


async def test_a_zombie_with_a_batch_in_hand_is_stopped_by_the_offset(bus, group, kafka, monkeypatch):
    monkeypatch.setattr(client_module, "REVOKE_PATIENCE", 0.1)
    await bus.publish([contract.message(key, n) for n in range(5) for key in KEYS])
    zombie = await bus.subscribe("g", ["one"], group.positions)
    batches = await zombie.fetch(limit=1000, wait=5)
    while len(batches) < 3:
        batches += await zombie.fetch(limit=1000, wait=5)
    async with group.member() as other:
        await until(lambda: group.seen and {p for p, _ in group.seen} == {s.partition for s in other.assigned()})
        taken = {source.partition for source in other.assigned()}
        for batch in batches:
            await group.handle(zombie, batch)
        assert group.refused == len(taken) > 0
        await bus.publish([contract.message(key, 5) for key in KEYS])
        for _ in range(20):
            for batch in await zombie.fetch(limit=1000, wait=0.2):
                await group.handle(zombie, batch)
        await until(lambda: len(group.seen) == 54)
    assert len(set(group.seen)) == 54


async def test_rewinding_goes_back_to_the_stored_positions_without_leaving(bus, group):
    await bus.publish([contract.message(key, n) for n in range(3) for key in KEYS])
    member = await bus.subscribe("g", ["one"], group.positions)
    client = member.inner._client
    first = await contract.everything(member)
    member.rewind()
    assert sorted(contract.numbers(await contract.everything(member))) == sorted(contract.numbers(first))
    assert member.inner._client is client


async def test_a_cancelled_fetch_skips_nothing(bus, group):
    member = await bus.subscribe("g", ["one"], group.positions)
    await member.fetch(limit=10, wait=0)
    fetching = asyncio.create_task(member.fetch(limit=10, wait=5))
    await asyncio.sleep(0.05)
    await bus.publish([contract.message("a", n) for n in range(3)])
    fetching.cancel()
    await asyncio.wait({fetching})
    assert contract.numbers(await contract.everything(member)) == [0, 1, 2]


async def test_a_topic_made_anew_is_loud_while_reading_and_at_the_start(bus, group, kafka):
    await bus.publish([contract.message("a", n) for n in range(3)])
    member = await bus.subscribe("g", ["one"], group.positions)
    for batch in await contract.everything(member):
        await group.handle(member, batch)
    name = bus.prefix + "one"
    await kafka.remove(name)
    await kafka.make(name)
    outcomes = [BusUnavailable()]
    while any(outcomes):
        outcomes = await bus.publish([contract.message("a", n) for n in range(100, 110)])
    with pytest.raises(LogChanged):
        for _ in range(60):
            for batch in await member.fetch(limit=10, wait=0.5):
                await group.handle(member, batch)
    with pytest.raises(LogChanged):
        await member.fetch(limit=10, wait=0.5)
    later = await bus.subscribe("g", ["one"], group.positions)
    with pytest.raises(LogChanged):
        await later.fetch(limit=10, wait=0.5)
    # A person decides: the positions of the old log are forgotten, and the very same member goes on.
    group.stored.clear()
    assert contract.numbers(await contract.everything(later))[:3] == [100, 101, 102]


async def test_an_offset_beyond_the_log_is_loud_until_somebody_decides(bus, group):
    await bus.publish([contract.message("a", n) for n in range(3)])
    member = await bus.subscribe("g", ["one"], group.positions)
    (batch,) = await contract.everything(member)
    group.stored[batch.source] = Position(50, batch.log)
    member.rewind()
    for _ in range(2):
        with pytest.raises(OffsetOutOfRange):
            await member.fetch(limit=10, wait=0.1)
    group.stored[batch.source] = Position(1, batch.log)
    assert contract.numbers(await contract.everything(member)) == [1, 2]


async def test_an_unknown_topic_is_said_at_once(bus, group):
    with pytest.raises(BusUnavailable, match="no topic"):
        await bus.subscribe("g", ["one", "nowhere"], group.positions)


async def test_a_fault_of_the_database_reaches_the_caller_and_passes(bus):
    async def failing(sources):
        if not healed:
            raise ConnectionError("database")
        return {}

    healed = False
    await bus.publish([contract.message("a", 1)])
    member = await bus.subscribe("g", ["one"], failing)
    with pytest.raises(ConnectionError):
        await member.fetch(limit=10, wait=0.1)
    healed = True
    assert contract.numbers(await contract.everything(member)) == [1]


async def test_a_client_that_stopped_silently_is_replaced(bus, group, monkeypatch):
    await bus.publish([contract.message("a", 1)])
    member = await bus.subscribe("g", ["one"], group.positions)
    for batch in await contract.everything(member):
        await group.handle(member, batch)
    monkeypatch.setattr(member_module, "SILENCE", 1.0)
    member.inner._client.consumer._fetcher._fetch_task.cancel()
    await asyncio.sleep(1.0)
    await bus.publish([contract.message("a", 2)])
    begun = asyncio.get_running_loop().time()
    with pytest.raises(BusUnavailable, match="no sign of life"):
        while True:
            assert await member.fetch(limit=10, wait=0.2) == []
            assert asyncio.get_running_loop().time() - begun < 10
    assert contract.numbers(await contract.everything(member, wait=10)) == [2]


async def test_a_static_member_comes_back_to_its_partitions(bus, group, kafka):
    async with group.member(instance="w1") as one, group.member(instance="w2") as two:
        await until(lambda: one.assigned() and two.assigned())
        mine, theirs = one.assigned(), two.assigned()
        await one.close()
        again = Named(kafka, bus.prefix, instance="w1")
        await again.open()
        back = await again.subscribe("g", ["one"], group.positions)
        assert (back.assigned(), two.assigned()) == (mine, theirs)
        await again.close()
