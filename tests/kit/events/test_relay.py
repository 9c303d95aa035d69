"""The relay: everything in the outbox reaches the bus, in order per subject, at least once."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.bus.base import BusForbidden, BusUnavailable, Position
from shared.db.tables import lease, outbox
from shared.events import relay as relay_module
from shared.events.outgoing import Outgoing
from shared.events.relay import LEASE, Relay
from shared.testing.tally.spec import told

PENDING = sa.select(outbox.c.subject).where(outbox.c.published_at.is_(None)).order_by(outbox.c.seq)


class Flaky:
    """A bus that does not take the keys in ``refused``, nor what stands behind them."""

    def __init__(self, bus):
        self.bus, self.refused, self.sent = bus, set(), []

    async def publish(self, messages):
        good = [message for message in messages if message.key not in self.refused]
        if good:
            await self.bus.publish(good)
        self.sent += [(message.key, int(message.headers["ce_sequence"])) for message in good]
        return [BusUnavailable("no") if message.key in self.refused else None for message in messages]


@pytest.fixture
def flaky(bus):
    return Flaky(bus)


@pytest.fixture
def relay(store, flaky, metrics):
    return Relay("tally", store, flaky, metrics)


async def tell(db, *names):
    await db.write(lambda uow: uow.emit_many([Outgoing(told(n), n, uow.now) for n in names]), actor="t")


async def until(db):
    return await db.read(lambda reads: reads.scalar(sa.select(lease.c.until)))


async def pending(db):
    return [row.subject for row in await db.read(lambda reads: reads.all(PENDING))]


async def on_bus(bus, noon):
    async def start(sources):
        return {source: Position(0, "") for source in sources}

    subscription = await bus.subscribe("look", ["staff.directory"], start)
    return sorted(
        (r.headers["ce_subject"], int(r.headers["ce_sequence"]))
        for batch in await subscription.fetch(limit=1000, wait=0)
        for r in batch.records
    )


async def test_what_was_told_reaches_the_bus_once_and_in_order(store, relay, flaky, bus, noon):
    await tell(store, "a", "b", "a")
    assert await relay.turn() == 3
    assert flaky.sent == [("a", 1), ("b", 1), ("a", 2)]
    assert await relay.turn() == 0
    assert await pending(store) == []
    assert await on_bus(bus, noon) == [("a", 1), ("a", 2), ("b", 1)]


async def test_a_failed_send_stops_its_subject_and_nobody_else(store, relay, flaky):
    await tell(store, "a", "bad", "b", "bad", "c")
    flaky.refused = {"bad"}
    assert await relay.turn() == 3
    assert await pending(store) == ["bad", "bad"]
    with pytest.raises(BusUnavailable):
        await relay.turn()
    await tell(store, "a")
    assert await relay.turn() == 1
    flaky.refused = set()
    assert await relay.turn() == 2
    assert flaky.sent == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("bad", 1), ("bad", 2)]


async def test_more_refused_events_than_a_batch_holds_stop_their_subjects_and_nobody_else(
    store, relay, flaky, monkeypatch
):
    monkeypatch.setattr(relay_module, "BATCH", 7)
    await tell(store, *("bad" for _ in range(20)), "a", *("worse" for _ in range(20)), "b", "a", "bad", "b")
    flaky.refused = {"bad", "worse"}
    assert await relay.turn() == 4
    assert flaky.sent == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert await pending(store) == ["bad"] * 20 + ["worse"] * 20 + ["bad"]
    with pytest.raises(BusUnavailable):
        await relay.turn()
    flaky.refused = set()
    while await relay.turn():
        pass
    assert flaky.sent[4:] == [*(("bad", n) for n in range(1, 21)), *(("worse", n) for n in range(1, 21)), ("bad", 21)]


async def test_a_missing_right_is_told_though_the_others_have_gone(store, relay, flaky, monkeypatch):
    monkeypatch.setattr(relay_module, "BATCH", 3)
    await tell(store, "bad", "bad", "bad", "bad", "a", "b", "c", "d")

    async def publish(messages):
        return [BusForbidden("write", [m.topic]) if m.key == "bad" else None for m in messages]

    monkeypatch.setattr(flaky, "publish", publish)
    with pytest.raises(BusForbidden):
        await relay.turn()
    assert await pending(store) == ["bad"] * 4


async def test_a_bus_that_is_away_is_not_asked_for_ever(store, relay, flaky, monkeypatch):
    """A turn ends in time to say that its loop turns, whatever waits."""
    monkeypatch.setattr(relay_module, "BATCH", 1)
    monkeypatch.setattr(relay_module, "LOOK_FOR", 0.0)
    await tell(store, *"abcdefgh")
    flaky.refused = set("abcdefgh")
    calls, publish = [], flaky.publish

    async def counted(messages):
        calls.append(len(messages))
        return await publish(messages)

    monkeypatch.setattr(flaky, "publish", counted)
    with pytest.raises(BusUnavailable):
        await relay.turn()
    assert calls == [1]


async def test_an_outcome_behind_a_failed_one_is_not_believed(store, relay, flaky, monkeypatch):
    """Even if a bus says it took the second event of a subject and not the first, both are sent again, in order."""
    await tell(store, "a", "a")
    publish, calls = flaky.publish, []

    async def odd(messages):
        calls.append([int(m.headers["ce_sequence"]) for m in messages])
        if len(calls) == 1:
            return [BusUnavailable("no"), None]
        return await publish(messages)

    monkeypatch.setattr(flaky, "publish", odd)
    with pytest.raises(BusUnavailable):
        await relay.turn()
    assert await relay.turn() == 2
    assert calls == [[1, 2], [1, 2]]


async def test_what_was_sent_and_not_marked_is_sent_again(store, relay, flaky, monkeypatch):
    await tell(store, "a", "b")

    def die(point):
        if point == "relay:after-send":
            raise KeyboardInterrupt

    monkeypatch.setattr(relay_module, "crash", die)
    with pytest.raises(KeyboardInterrupt):
        await relay.turn()
    assert await pending(store) == ["a", "b"]
    monkeypatch.undo()
    assert await relay.turn() == 2
    assert flaky.sent == [("a", 1), ("b", 1)] * 2


async def test_a_bus_that_is_away_loses_nothing(store, bus, metrics):
    relay = Relay("tally", store, bus, metrics)
    await tell(store, "a")
    bus.broken = BusUnavailable("away")
    with pytest.raises(BusUnavailable):
        await relay.turn()
    bus.broken = None
    assert await relay.turn() == 1


async def test_only_the_holder_of_the_lease_sends_until_it_runs_out(store, bus, metrics, noon):
    first, second = Relay("tally", store, bus, metrics), Relay("tally", store, bus, metrics)
    await tell(store, "a")
    assert await first.turn() == 1
    await tell(store, "b")
    assert await second.turn() == 0
    assert await pending(store) == ["b"]
    noon.advance(LEASE)
    assert await second.turn() == 0
    noon.advance(timedelta(microseconds=1))
    assert await second.turn() == 1
    await tell(store, "c")
    assert await first.turn() == 0
    assert await second.turn() == 1


async def test_the_holder_renews_its_lease_as_it_works(store, bus, metrics, noon):
    first, second = Relay("tally", store, bus, metrics), Relay("tally", store, bus, metrics)
    for _ in range(4):
        await tell(store, "a")
        assert await first.turn() == 1
        noon.advance(LEASE - timedelta(seconds=1))
        await tell(store, "b")
        assert await second.turn() == 0
        assert await first.turn() == 1


async def test_a_lease_is_renewed_while_a_send_takes_long(store, bus, metrics, noon, monkeypatch):
    monkeypatch.setattr(relay_module, "RENEW", 0.01)
    second = Relay("tally", store, bus, metrics)
    seen = []

    class Slow:
        async def publish(self, messages):
            for _ in range(3):
                before = await until(store)
                noon.advance(LEASE - timedelta(seconds=1))
                async with asyncio.timeout(10):
                    while await until(store) == before:  # noqa: ASYNC110 - the store is asked
                        await asyncio.sleep(0.01)
                seen.append(await second.turn())
            return await bus.publish(messages)

    await tell(store, "a")
    assert await Relay("tally", store, Slow(), metrics).turn() == 1
    assert seen == [0, 0, 0]


async def test_a_relay_that_leaves_gives_its_lease_back_and_no_other(store, bus, metrics):
    first, second = Relay("tally", store, bus, metrics), Relay("tally", store, bus, metrics)
    await tell(store, "a")
    assert await first.turn() == 1
    await second.leave()
    await tell(store, "b")
    assert await second.turn() == 0
    await first.leave()
    assert await second.turn() == 1


async def test_a_backlog_larger_than_a_batch_goes_in_order(store, relay, flaky, monkeypatch):
    monkeypatch.setattr(relay_module, "BATCH", 7)
    await tell(store, *("ab" * 20))
    while await relay.turn():
        pass
    assert flaky.sent == [(name, n) for n in range(1, 21) for name in "ab"]


async def test_the_backlog_tells_how_much_waits_and_since_when(store, relay, noon):
    assert (await relay.backlog()).waiting == 0
    begun = noon.now()
    await tell(store, "a")
    noon.advance(timedelta(minutes=1))
    await tell(store, "a")
    backlog = await relay.backlog()
    assert (backlog.waiting, backlog.oldest) == (2, begun)
    await relay.turn()
    assert ((await relay.backlog()).waiting, (await relay.backlog()).oldest) == (0, None)
