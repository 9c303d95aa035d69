"""A database that was restored to an earlier moment: what it tells next is heard, and what it forgot is named."""

from datetime import timedelta

import pytest

from shared.events.outgoing import Outgoing
from shared.events.relay import Relay
from shared.events.restored import Forgotten, recover, told_since
from shared.testing.tally.spec import told

TOPICS = ["staff.directory", "queue.events"]
KIND = "staff.person.changed.v1"


async def tell(db, *names):
    await db.write(lambda uow: uow.emit_many([Outgoing(told(n), n, uow.now) for n in names]), actor="t")


@pytest.fixture
async def history(make_db, bus, metrics, noon):
    """The listener has heard everything; the restored database has only what was told before noon."""
    live, restored = await make_db(), await make_db()
    for db in (live, restored):
        await tell(db, "a", "b")
    assert await Relay("tally", live, bus, metrics).turn() == 2
    noon.advance(timedelta(hours=1))
    await tell(live, "a", "a", "c")
    assert await Relay("tally", live, bus, metrics).turn() == 3
    return restored


@pytest.fixture
async def listener(make_db, bus, metrics, noon):
    from tests.kit.events.conftest import Listener

    return Listener(await make_db(), bus, metrics, noon)


async def test_what_is_told_after_a_restore_is_not_passed_over(history, listener, bus, metrics, noon):
    await listener.drain()
    assert await listener.totals() == {"a": 3, "b": 1, "c": 1}
    last = await told_since(bus, "tally", TOPICS, noon.now() - timedelta(minutes=30))
    assert await recover(history, last, actor="t") == [Forgotten("a", 1, 3, KIND), Forgotten("c", 0, 1, KIND)]
    assert await recover(history, last, actor="t") == []
    await tell(history, "a", "b", "c", "d")
    while await Relay("tally", history, bus, metrics).turn():
        noon.advance(timedelta(minutes=1))
    await listener.drain()
    assert await listener.totals() == {"a": 4, "b": 2, "c": 2, "d": 1}


async def test_without_it_readers_pass_over_what_is_told_next(history, listener, bus, metrics):
    await listener.drain()
    await tell(history, "a")
    await Relay("tally", history, bus, metrics).turn()
    await listener.drain()
    # Its sequence 2 is older than what they know: this silence is why the command must be run.
    assert (await listener.totals())["a"] == 3


async def test_what_others_told_and_what_was_told_before_is_not_looked_at(history, bus, voice, noon):
    await voice.tell("a", "z")
    assert await told_since(bus, "tally", TOPICS, noon.now() + timedelta(seconds=1)) == {}
    assert {*await told_since(bus, "tally", TOPICS, noon.now())} == {"a", "c"}
