"""The consumer: each event has its effect once, in order, whatever dies, repeats or fails."""

import asyncio
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.bus.base import LogChanged, OffsetOutOfRange
from shared.db.errors import DatabaseUnavailable
from shared.db.tables import inbox
from shared.events import consumer as consumer_module
from shared.events import positions
from shared.events.positions import OffsetMoved
from shared.ids import uuid7


def figure(registry, name):
    return registry.get_sample_value(f"wangdian_{name}_total", {"service": "tally"}) or 0


async def test_a_batch_has_its_effects_and_its_offset(listener, voice, registry):
    await voice.tell("a", "b", "a")
    assert await listener.drain() == 3
    assert await listener.totals() == {"a": 2, "b": 1}
    assert sorted(await listener.answered()) == [("a", 1), ("a", 2), ("b", 1)]
    assert figure(registry, "events_handled") == 3
    # A new member goes on from the stored offsets.
    await voice.tell("a")
    assert await listener.drain(listener.member()) == 1
    assert await listener.totals() == {"a": 3, "b": 1}


async def test_a_partition_is_one_transaction_in_the_order_of_the_log(listener, voice):
    await voice.tell(*("a" * 30))
    await listener.drain()
    assert listener.batches == [[("a", n) for n in range(1, 31)]]


async def test_zombie_writes_nothing(listener, voice):
    """A member that lost its partition unnoticed holds a batch from an offset that another has passed."""
    await voice.tell("a", "a")
    held, go = asyncio.Event(), asyncio.Event()
    zombie = listener.member()
    write = zombie._db.write

    class Paused:
        read = zombie._db.read

        async def write(self, unit, *, actor, brief=False):
            held.set()
            await go.wait()
            return await write(unit, actor=actor, brief=brief)

    zombie._db = Paused()
    stuck = asyncio.create_task(zombie.turn())
    await asyncio.wait_for(held.wait(), 5)
    await listener.drain()
    await voice.tell("a")
    await listener.drain()
    before = await listener.totals(), await listener.answered(), listener.batches[:]
    go.set()
    with pytest.raises(OffsetMoved):
        await stuck
    assert (await listener.totals(), await listener.answered(), listener.batches) == before
    assert await listener.letters() == []
    # It joins again, at the stored offset, and is of use.
    zombie._db = listener.db
    await voice.tell("a")
    assert await listener.drain(zombie) == 1
    assert await listener.answered() == [("a", n) for n in (1, 2, 3, 4)]


async def test_a_duplicate_on_the_bus_is_answered_once(listener, voice):
    twice = voice.record("a")
    await voice.send(twice, twice, voice.record("a"))
    await listener.drain()
    await voice.send(twice)
    await listener.drain()
    assert await listener.answered() == [("a", 1), ("a", 2)]
    assert await listener.totals() == {"a": 2}


async def test_an_unknown_type_is_skipped_and_counted(listener, voice, registry):
    await voice.send(
        voice.record("a", ce_type="staff.person.changed.v2", value=b"\xff"),
        voice.record("a", ce_type=""),
        voice.record("a"),
    )
    assert await listener.drain() == 3
    assert (figure(registry, "events_skipped"), figure(registry, "events_handled")) == (2, 1)
    assert await listener.letters() == []


UNREADABLE = {
    "no JSON": {"value": b"\xff\xfe"},
    "not an object": {"value": b"[]"},
    "a field is missing": {"value": b'{"person": "a"}'},
    "a wrong kind": {"value": json.dumps({"person": "a", "unit": "u", "post": "p", "active": "maybe"}).encode()},
    "deep": {"value": b"[" * 100_000},
    "a huge number": {"value": b'{"active": 1' + b"0" * 5000 + b"}"},
    "no time": {"ce_time": "yesterday"},
    "a time without an offset": {"ce_time": "2026-03-02T04:00:00"},
    "no sequence": {"ce_sequence": "one"},
    "an unknown origin": {"ce_origin": "dream"},
}


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_is_dead_at_once_and_blocks_nobody(listener, voice, registry, fault):
    await voice.send(voice.record("a", **fault), voice.record("a"), voice.record("b"))
    await listener.drain()
    assert await listener.letters() == [("a", "dead")]
    assert await listener.totals() == {"a": 2, "b": 1}
    assert (figure(registry, "events_dead"), figure(registry, "events_parked")) == (1, 0)
    assert len(listener.batches) <= 2


async def test_the_reason_of_a_dead_letter_holds_nothing_of_its_content(listener, voice):
    body = json.dumps({"person": "a", "unit": "u", "post": "Zhang San, 13800000000", "active": True}).encode()
    await voice.send(voice.record("a", value=body))
    await listener.drain()
    letter = await listener.letter()
    assert (letter.state, letter.error) == ("dead", "data:post:string_pattern_mismatch")


async def test_unknown_fields_of_a_newer_writer_are_ignored(listener, voice):
    body = {"person": "a", "unit": "u", "post": "teller", "active": True, "shoe_size": 44}
    await voice.send(voice.record("a", value=json.dumps(body).encode()))
    await listener.drain()
    assert (await listener.totals(), await listener.letters()) == ({"a": 1}, [])


async def test_history_and_old_events_are_projected_and_never_answered(listener, voice, noon):
    now = noon.now()
    await voice.send(
        voice.record("import", origin="import"),
        voice.record("old", at=now - timedelta(days=2, seconds=1)),
        voice.record("fresh", at=now - timedelta(days=2)),
        voice.record("live"),
    )
    await listener.drain()
    assert sorted(await listener.totals()) == ["fresh", "import", "live", "old"]
    assert sorted(name for name, _ in await listener.answered()) == ["fresh", "live"]


async def test_a_week_old_backlog_answers_nobody(listener, voice):
    await voice.tell("a", "b")
    await listener.later(days=7)
    assert (await listener.totals(), await listener.answered()) == ({"a": 1, "b": 1}, [])


@pytest.mark.parametrize("when", ["batch", "alone", "park", "retry"])
async def test_trouble_of_the_database_parks_nobody_and_loses_nothing(listener, voice, monkeypatch, when):
    """However far the consumer has come when the database goes."""
    if when in ("park", "retry"):
        listener.poison["a"] = ValueError()
    await voice.tell("a", "b")
    if when == "retry":
        await listener.drain()
        listener.clock.advance(timedelta(minutes=1))
        listener.poison.clear()
    member, calls = listener.member(), []
    write = listener.db.write
    failing = {"batch": 0, "alone": 1, "park": 4, "retry": 0}[when]
    if when == "alone":
        listener.poison["a"] = ValueError()

    class Flaky:
        read = listener.db.read

        async def write(self, unit, *, actor, brief=False):
            calls.append(actor)
            if len(calls) - 1 == failing:
                raise DatabaseUnavailable("gone")
            return await write(unit, actor=actor, brief=brief)

    member._db = Flaky()
    with pytest.raises(DatabaseUnavailable):
        for _ in range(3):
            await member.turn()
    listener.poison.clear()
    await listener.drain(member)
    assert await listener.totals() == {"a": 1, "b": 1}
    assert sorted(await listener.answered()) == [("a", 1), ("b", 1)]
    assert [state for _, state in await listener.letters()] == (["done"] if when == "retry" else [])


async def test_trouble_inside_a_handler_parks_nobody(listener, voice):
    listener.poison["a"] = DatabaseUnavailable("disk")
    await voice.tell("a")
    with pytest.raises(DatabaseUnavailable):
        await listener.drain()
    assert await listener.letters() == []
    listener.poison.clear()
    await listener.drain()
    assert await listener.answered() == [("a", 1)]


async def test_dying_inside_a_batch_leaves_nothing_of_it(listener, voice, monkeypatch):
    await voice.tell("a", "a")

    def die(point):
        raise KeyboardInterrupt

    monkeypatch.setattr(consumer_module, "crash", die)
    with pytest.raises(KeyboardInterrupt):
        await listener.consumer.turn()
    assert (await listener.totals(), await listener.answered()) == ({}, [])
    monkeypatch.undo()
    assert await listener.drain(listener.member()) == 2
    assert await listener.answered() == [("a", 1), ("a", 2)]


async def test_a_member_that_is_cancelled_mid_batch_goes_on_where_the_database_says(listener, voice):
    await voice.tell(*("a" * 10))
    turn = asyncio.create_task(listener.consumer.turn())
    await asyncio.sleep(0.003)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    while True:
        try:
            await listener.drain()
            break
        except OffsetMoved:
            continue
    assert await listener.answered() == [("a", n) for n in range(1, 11)]


async def decide(listener, voice, offset, *, log=None):
    """What the operator's rewind (``log`` None) and resync (``log`` '') do."""

    async def unit(uow):
        for source, position in (await positions.of_topic(uow, "staff.directory")).items():
            kept = position.log if log is None else log
            await positions.decide(uow, source, positions.Position(offset, kept))

    await listener.db.write(unit, actor="operator")
    listener.consumer.rejoin()


async def test_a_replay_changes_no_figure_and_answers_nobody_twice(listener, voice):
    await voice.tell("a", "b", "a", "c")
    await listener.drain()
    before = await listener.totals(), await listener.answered()
    await decide(listener, voice, 0)
    assert await listener.drain() == 4
    assert (await listener.totals(), await listener.answered()) == before


async def test_an_event_that_once_went_through_and_fails_in_a_replay_is_parked_again(listener, voice):
    """A rebuild must not swallow it because an old letter has its place."""
    listener.poison["a"] = ValueError()
    await voice.tell("a")
    await listener.drain()
    listener.poison.clear()
    await listener.later(minutes=1)
    assert await listener.letters() == [("a", "done")]
    await listener.db.write(lambda uow: uow.execute(sa.delete(inbox)), actor="t")
    listener.poison["a"] = ValueError()
    await decide(listener, voice, 0)
    await listener.drain()
    assert await listener.letters() == [("a", "parked")]
    listener.poison.clear()
    await listener.later(minutes=1)
    assert await listener.letters() == [("a", "done")]
    assert await listener.answered() == [("a", 1), ("a", 1)]


async def test_a_log_made_anew_is_loud_until_somebody_decides(listener, voice, bus, tmp_path, noon):
    await voice.tell("a", "b")
    await listener.drain()
    await listener.consumer.stop()
    await bus.close()
    for file in tmp_path.glob("bus.sqlite3*"):
        file.unlink()
    await bus.open()
    await voice.tell("a")
    with pytest.raises(LogChanged, match="made anew"):
        await listener.drain()
    assert await listener.totals() == {"a": 1, "b": 1}
    await decide(listener, voice, 0, log="")
    assert await listener.drain() == 1
    assert await listener.totals() == {"a": 2, "b": 1}
    await voice.tell("b")
    assert await listener.drain(listener.member()) == 1


async def test_an_offset_before_the_logs_beginning_is_loud_and_a_resync_goes_on_from_there(listener, voice, bus, noon):
    await voice.tell("a")
    await listener.drain()
    await voice.tell("a")
    noon.advance(timedelta(days=20))
    assert await bus.expire("staff.directory", timedelta(days=14)) == 1
    await voice.tell("a")
    with pytest.raises(OffsetOutOfRange):
        await listener.drain()
    with pytest.raises(OffsetOutOfRange):
        await listener.drain(listener.member())
    assert await listener.totals() == {"a": 1}
    await decide(listener, voice, 0, log="")
    assert await listener.drain() == 1
    assert await listener.totals() == {"a": 3}


async def test_a_zombie_cannot_use_an_accepted_log_to_go_back(listener, voice):
    """After the first record of an accepted log the compare-and-set is strict again."""
    await voice.tell("a", "a")
    await listener.drain()
    await decide(listener, voice, 0, log="")
    await listener.drain()
    stored = await listener.db.read(lambda reads: positions.of_topic(reads, "staff.directory"))
    assert all(position.log for source, position in stored.items() if position.next)


async def test_lag_is_what_the_bus_holds_beyond_the_offset(listener, voice, monkeypatch):
    monkeypatch.setattr(consumer_module, "LIMIT", 2)
    await voice.tell(*("a" * 5))
    await listener.consumer.turn()
    assert await listener.db.read(positions.lag) == 3
    await listener.drain()
    assert await listener.db.read(positions.lag) == 0


async def test_ids_of_events_may_repeat_across_handlers_but_not_within_one(listener, voice):
    same = uuid7()
    await voice.send(voice.record("a", event_id=same), voice.record("b", event_id=same))
    await listener.drain()
    assert len(await listener.answered()) == 1
