"""What every bus must keep; a bus's own test module imports this suite and gives it the fixture ``reopen``.

``reopen()`` gives an open bus with the topics ``one`` and ``two`` of three partitions each; called again it closes the
one before and opens the same log anew.
"""

import asyncio

import pytest

from shared.bus.base import LogChanged, Message, OffsetOutOfRange, Position, TopicPartition
from shared.bus.partitioning import partition_of

PARTITIONS = 3


def message(key, n=0, topic="one", value=None):
    """One message; its number travels in a header and in its value."""
    return Message(topic, key, {"n": str(n), "名": "é"}, str(n).encode() if value is None else value)


async def join(bus, topics=("one",), positions=None, group="readers"):
    """A member of a group that starts at the stored ``positions``."""

    async def stored(sources):
        return {source: (positions or {})[source] for source in sources if source in (positions or {})}

    return await bus.subscribe(group, topics, stored)


async def everything(subscription, limit=500, wait=2.0):
    """All batches until none comes, first waiting for some."""
    found = []
    while batches := await subscription.fetch(limit=limit, wait=wait):
        found += batches
        wait = 0.2
    return found


def numbers(batches, key=None, topic="one"):
    """The numbers of the records, in the order read, of the partition of ``key``."""
    wanted = None if key is None else TopicPartition(topic, partition_of(key, PARTITIONS))
    return [int(r.headers["n"]) for b in batches for r in b.records if wanted in (None, b.source)]


class BusContract:
    """The suite."""

    async def test_records_of_a_key_come_in_the_order_sent_and_whole(self, reopen):
        bus = await reopen()
        for start in (0, 50):
            sent = [message(key, n) for n in range(start, start + 50) for key in ("a", "b", "c")]
            assert list(await bus.publish(sent)) == [None] * 150
        batches = await everything(await join(bus))
        records = [record for batch in batches for record in batch.records]
        assert len(records) == 300
        for key in "abc":
            mine = numbers(batches, key)
            same = [k for k in "abc" if partition_of(k, PARTITIONS) == partition_of(key, PARTITIONS)]
            assert mine == [n for n in range(100) for _ in same]
        assert all(record.headers["名"] == "é" and record.value == record.headers["n"].encode() for record in records)

    async def test_a_key_has_one_partition_and_topics_are_apart(self, reopen):
        bus = await reopen()
        await bus.publish([message(key, 1, topic) for key in "abcdef" for topic in ("one", "two")])
        batches = await everything(await join(bus, ("one", "two")))
        for topic in ("one", "two"):
            counts = {b.source.partition: len(b.records) for b in batches if b.source.topic == topic}
            expected = {p: sum(partition_of(k, PARTITIONS) == p for k in "abcdef") for p in range(PARTITIONS)}
            assert counts == {p: n for p, n in expected.items() if n}

    async def test_offsets_grow_and_a_batch_says_where_it_starts_and_ends(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(10)])
        position = 0
        subscription = await join(bus)
        while batches := await subscription.fetch(limit=3, wait=1.0 if position < 10 else 0.1):
            (batch,) = batches
            assert batch.start == position
            offsets = [record.offset for record in batch.records]
            assert offsets == sorted(set(offsets))
            assert (len(offsets) <= 3, offsets[0] >= position, batch.high_water) == (True, True, 10)
            position = offsets[-1] + 1
        assert position == 10

    async def test_an_extent_ends_where_the_next_record_will_be(self, reopen):
        bus = await reopen()
        before = await bus.extents(("one", "two"))
        assert {source.topic for source in before} == {"one", "two"} and len(before) == 2 * PARTITIONS
        assert {(found.first, found.end) for found in before.values()} == {(0, 0)}
        await bus.publish([message("a", n) for n in range(7)])
        (batch,) = await everything(await join(bus))
        after = await bus.extents(("one", "none"))
        assert after == {
            source: found._replace(end=7 if source == batch.source else 0)
            for source, found in before.items()
            if source.topic == "one"
        }
        assert after[batch.source] == (0, batch.high_water, batch.log)

    async def test_any_bytes_are_kept(self, reopen):
        bus = await reopen()
        for value in (b"", b"\x00", bytes(range(256)), b"x" * 200_000):
            await bus.publish([message("a", value=value)])
        batches = await everything(await join(bus))
        assert [len(r.value) for b in batches for r in b.records] == [0, 1, 256, 200_000]
        assert batches[0].records[0].value == b""

    async def test_what_was_taken_is_there_after_reopening(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(5)])
        (first, *_) = await everything(await join(bus))
        bus = await reopen()
        await bus.publish([message("a", 5)])
        batches = await everything(await join(bus))
        assert numbers(batches) == [0, 1, 2, 3, 4, 5]
        assert {batch.log for batch in batches} == {first.log}

    async def test_a_member_goes_on_from_its_stored_position(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(6)])
        subscription = await join(bus)
        (batch,) = await subscription.fetch(limit=4, wait=2)
        after = batch.records[-1].offset + 1
        await subscription.done(batch.source, after)
        await subscription.close()
        again = await join(bus, positions={batch.source: Position(after, batch.log)})
        assert numbers(await everything(again)) == [4, 5]

    async def test_what_was_not_stored_is_delivered_again(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(3)])
        for _ in range(2):
            subscription = await join(bus)
            assert numbers(await everything(subscription)) == [0, 1, 2]
            await subscription.close()

    async def test_groups_do_not_disturb_each_other(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", 1)])
        first, second = await join(bus, group="g1"), await join(bus, group="g2")
        assert numbers(await everything(first)) == numbers(await everything(second)) == [1]

    async def test_every_partition_of_the_topics_is_assigned(self, reopen):
        bus = await reopen()
        subscription = await join(bus, ("one", "two"))
        await subscription.fetch(limit=1, wait=0)
        expected = {TopicPartition(topic, p) for topic in ("one", "two") for p in range(PARTITIONS)}
        assert subscription.assigned() == expected

    async def test_a_waiting_member_wakes_when_something_arrives(self, reopen):
        bus = await reopen()
        subscription = await join(bus)
        loop = asyncio.get_running_loop()
        await subscription.fetch(limit=10, wait=0)
        begun = loop.time()
        assert list(await subscription.fetch(limit=10, wait=0.2)) == []
        assert loop.time() - begun < 5
        waiting = asyncio.create_task(subscription.fetch(limit=10, wait=20))
        await asyncio.sleep(0.05)
        begun = loop.time()
        await bus.publish([message("a", 7)])
        assert numbers(await waiting) == [7]
        assert loop.time() - begun < 5

    async def test_seeking_back_and_forth(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(5)])
        subscription = await join(bus)
        batches = await everything(subscription)
        source, log = batches[0].source, batches[0].log
        for offset in (0, 3, 5, 1):
            await subscription.seek(source, Position(offset, log))
            assert numbers(await everything(subscription, wait=0.5)) == list(range(offset, 5))

    @pytest.mark.parametrize("offset", [-1, 6, 1000])
    async def test_an_offset_that_is_not_in_the_log_is_loud(self, reopen, offset):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(5)])
        batch = (await everything(await join(bus)))[0]
        with pytest.raises(OffsetOutOfRange):
            await everything(await join(bus, positions={batch.source: Position(offset, batch.log)}))
        subscription = await join(bus)
        with pytest.raises(OffsetOutOfRange):
            await subscription.seek(batch.source, Position(offset, batch.log))
            await everything(subscription)

    async def test_another_log_under_the_same_name_is_loud(self, reopen):
        bus = await reopen()
        await bus.publish([message("a", n) for n in range(5)])
        batch = (await everything(await join(bus)))[0]
        with pytest.raises(LogChanged):
            await everything(await join(bus, positions={batch.source: Position(1, "another log")}))
        accepted = await join(bus, positions={batch.source: Position(1, "")})
        assert numbers(await everything(accepted)) == [1, 2, 3, 4]

    async def test_a_topic_that_does_not_exist_holds_up_only_its_own_messages(self, reopen):
        bus = await reopen()
        outcomes = await bus.publish([message("a", 1), message("a", 1, "nowhere"), message("b", 2)])
        assert [outcome is None for outcome in outcomes] == [True, False, True]
        assert sorted(numbers(await everything(await join(bus)))) == [1, 2]

    async def test_nothing_to_send_is_nothing_sent(self, reopen):
        bus = await reopen()
        assert list(await bus.publish([])) == []

    async def test_concurrent_senders_lose_and_mix_nothing(self, reopen):
        bus = await reopen()
        await asyncio.gather(*(bus.publish([message(f"k{i}", n) for n in range(10)]) for i in range(20)))
        batches = await everything(await join(bus))
        assert sorted(numbers(batches)) == sorted(list(range(10)) * 20)
