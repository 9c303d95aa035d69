"""A lag grows while nobody consumes, and figures say how far back they reach."""

from datetime import timedelta

from shared.bus.base import BusUnavailable
from shared.events import positions
from shared.events.reach import Reach


async def lag(listener):
    return await listener.db.read(positions.lag)


async def test_a_lag_grows_while_no_worker_runs_and_goes_with_the_first_that_does(listener, voice, bus, noon):
    reach = Reach("tally", listener.db, bus, listener.member().topics)
    await voice.tell("a", "b")
    await reach.turn()
    assert await lag(listener) == 2, "never read is behind, too"
    await listener.drain()
    await reach.turn()
    assert await lag(listener) == 0
    assert await listener.totals() == {"a": 1, "b": 1}
    noon.advance(timedelta(hours=1))
    arrived = noon.now()
    await voice.tell("a", "b", "a")
    assert await lag(listener) == 0, "nobody has looked"
    await reach.turn()
    assert await lag(listener) == 3
    assert await listener.db.read(positions.as_of) == arrived, "not of the quiet hour before"
    noon.advance(timedelta(minutes=2))
    await voice.tell("a", "b")
    await reach.turn()
    assert await lag(listener) == 5
    assert await listener.db.read(positions.as_of) == arrived
    await listener.drain()
    await reach.turn()
    assert await lag(listener) == 0
    assert await listener.totals() == {"a": 4, "b": 3}


async def test_another_log_says_nothing_about_this_one(listener, voice, bus):
    await voice.tell("a", "b")
    await listener.drain()
    extents = await bus.extents(listener.member().topics)

    async def strange(uow):
        return await positions.reach(
            uow,
            {
                source: found._replace(end=found.end + 9, log="another")
                for source, found in extents.items()
                if found.end
            },
        )

    assert await listener.db.write(strange, actor="test") == 0
    assert await lag(listener) == 0


async def test_a_bus_that_does_not_answer_changes_nothing(listener, voice, bus):
    class Down:
        async def extents(self, topics):
            raise BusUnavailable("no answer")

    await voice.tell("a")
    await listener.drain()
    assert await Reach("tally", listener.db, Down(), listener.member().topics).turn() == 0
    assert await lag(listener) == 0
