"""Parking: a poison event holds up its subject, never its neighbours, until it goes through or a person decides."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from shared.bus.embedded import EmbeddedBus
from shared.bus.partitioning import partition_of
from shared.clock import FixedClock
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.events import consumer as consumer_module
from shared.events import parking, positions
from shared.observability.metrics import EventMetrics

BESIDE = [name for name in (f"n{i}" for i in range(50)) if partition_of(name, 3) == partition_of("bad", 3)][:3]
"""Subjects in the same partition as ``bad``."""


@pytest.fixture
async def parked(listener, voice):
    """The first event of ``bad`` cannot be handled; two more stand behind it."""
    listener.poison["bad", 1] = ValueError("Zhang San")
    await voice.tell(BESIDE[0], "bad", BESIDE[1], "bad", BESIDE[0], "bad")
    await listener.drain()
    return listener


async def test_only_the_subject_is_parked_and_the_others_flow_on(parked, voice):
    assert await parked.totals() == {BESIDE[0]: 2, BESIDE[1]: 1}
    assert await parked.letters() == [("bad", "parked")] * 3
    await voice.tell(BESIDE[2], "bad", BESIDE[0])
    await parked.drain()
    assert await parked.totals() == {BESIDE[0]: 3, BESIDE[1]: 1, BESIDE[2]: 1}
    assert await parked.letters() == [("bad", "parked")] * 4


async def test_what_waited_goes_through_in_its_order_once_the_fault_is_gone(parked, voice):
    parked.poison.clear()
    await voice.tell("bad")
    await parked.drain()
    assert "bad" not in await parked.totals()
    await parked.later(seconds=30)
    assert [n for name, n in await parked.answered() if name == "bad"] == [1, 2, 3, 4]
    assert await parked.totals() == {BESIDE[0]: 2, BESIDE[1]: 1, "bad": 4}
    assert await parked.letters() == [("bad", "done")] * 4
    await voice.tell("bad")
    await parked.drain()
    assert (await parked.totals())["bad"] == 5


async def test_a_failing_handler_is_tried_three_times_before_its_subject_is_parked(listener, voice):
    fault, tries = ValueError(), []

    class Counting(dict):
        def get(self, key, default=None):
            if key == ("bad", 1):
                tries.append(key)
                return fault
            return default

    listener.poison = Counting()
    await voice.tell("bad")
    await listener.drain()
    # Once in the batch, then three times alone; projection and reaction ask each.
    assert len(tries) == 2 * 4


async def test_a_fault_that_passes_at_the_third_try_parks_nobody(listener, voice):
    faults = [ValueError()] * 3

    class Passing(dict):
        def get(self, key, default=None):
            return faults.pop() if key == ("bad", 1) and faults and len(listener.batches) < 4 else default

    listener.poison = Passing()
    await voice.tell("bad")
    await listener.drain()
    assert (await listener.letters(), await listener.answered()) == ([], [("bad", 1)])


async def test_the_error_says_where_and_what_and_never_the_message(parked):
    letter = await parked.letter()
    assert letter.error.startswith("ValueError@Listener._trip:")
    assert "Zhang" not in letter.error


async def test_it_is_tried_again_ever_more_rarely_for_a_day_and_then_waits_for_a_person(parked, noon):
    begun, gaps = noon.now(), []
    while (letter := await parked.letter()).state == "parked" and len(gaps) < 100:
        gaps.append((letter.next_try - noon.now()).total_seconds())
        noon.set(letter.next_try - timedelta(seconds=1))
        await parked.drain()
        assert (await parked.letter()).attempts == letter.attempts
        await parked.later(seconds=1)
    assert gaps[:5] == [30, 120, 600, 1800, 3600]
    assert set(gaps[5:]) == {3600}
    assert noon.now() - begun >= timedelta(days=1)
    assert noon.now() - begun <= timedelta(days=1, hours=1, seconds=30)
    assert [state for _, state in await parked.letters()] == ["waiting", "parked", "parked"]
    parked.poison.clear()
    await parked.later(days=2)
    assert "bad" not in await parked.totals()


async def test_a_person_may_ask_again_at_any_time(parked):
    first = await parked.letter()
    await parked.db.write(lambda uow: parking.ask_again(uow, first.id), actor="op")
    await parked.drain()
    assert (await parked.letter()).attempts == 1
    parked.poison.clear()
    assert await parked.db.write(lambda uow: parking.ask_again(uow, first.id), actor="op") is not None
    await parked.drain()
    assert await parked.letters() == [("bad", "done")] * 3
    assert await parked.db.write(lambda uow: parking.ask_again(uow, first.id), actor="op") is None
    assert await parked.db.write(lambda uow: parking.ask_again(uow, "none"), actor="op") is None


async def test_a_person_may_ask_again_for_what_waits_after_a_day(parked):
    parked.clock.advance(timedelta(days=2))
    await parked.drain()
    first = await parked.letter()
    assert first.state == "waiting"
    parked.poison.clear()
    await parked.db.write(lambda uow: parking.ask_again(uow, first.id), actor="op")
    await parked.drain()
    assert (await parked.totals())["bad"] == 3


async def test_giving_the_event_up_lets_the_ones_behind_it_through(parked):
    first = await parked.letter()
    await parked.db.write(lambda uow: parking.give_up(uow, first.id, "broken_data"), actor="op")
    await parked.drain()
    assert [n for name, n in await parked.answered() if name == "bad"] == [2, 3]
    assert [state for _, state in await parked.letters()] == ["discarded", "done", "done"]
    assert await parked.db.write(lambda uow: parking.give_up(uow, first.id, "again"), actor="op") is None


async def test_decisions_are_in_the_audit_log(parked):
    first = await parked.letter()
    await parked.db.write(lambda uow: parking.ask_again(uow, first.id), actor="op-1")
    await parked.db.write(lambda uow: parking.give_up(uow, first.id, "broken_data"), actor="op-2")
    rows = await parked.db.read(lambda reads: reads.all(AUDIT))
    assert [(row.actor, row.action, row.object_id) for row in rows] == [
        ("op-1", "events.retry", first.id), ("op-2", "events.discard", first.id),
    ]  # fmt: skip


AUDIT = (
    sa.select(
        sa.column("actor", sa.Text), sa.column("action", sa.Text), sa.column("object_id", sa.Text), sa.column("seq")
    )
    .select_from(sa.table("audit_row"))
    .order_by(sa.column("seq"))
)


async def test_a_dead_letter_that_still_cannot_be_read_is_dead_again_and_parks_nobody(listener, voice):
    await voice.send(voice.record("bad", value=b"?"))
    await listener.drain()
    letter = await listener.letter()
    await listener.db.write(lambda uow: parking.ask_again(uow, letter.id), actor="op")
    await voice.tell("bad")
    await listener.drain()
    assert sorted(await listener.letters()) == [("bad", "dead"), ("bad", "done")]
    assert await listener.totals() == {"bad": 2}


async def test_the_listing_and_the_depth_count_what_is_open(parked, voice):
    await voice.send(voice.record("other", value=b"?"))
    await parked.drain()
    assert await parked.db.read(parking.depth) == (1, 1)
    first = await parked.db.read(lambda reads: parking.listing(reads, "", 2))
    rest = await parked.db.read(lambda reads: parking.listing(reads, first[-1].id, 10))
    assert [row.subject for row in [*first, *rest]] == ["bad", "bad", "bad", "other"]
    parked.poison.clear()
    await parked.later(minutes=1)
    assert await parked.db.read(parking.depth) == (0, 1)


async def test_a_poison_event_of_a_new_log_has_its_letter_beside_the_old_logs(parked, voice, bus, tmp_path):
    """Offsets of a log that was made anew begin at 0 again: they must not be taken for the old ones."""
    await parked.consumer.stop()
    await bus.close()
    for file in tmp_path.glob("bus.sqlite3*"):
        file.unlink()
    await bus.open()

    async def accept(uow):
        for source in await positions.of_topic(uow, "staff.directory"):
            await positions.decide(uow, source, positions.Position(0, ""))

    await parked.db.write(accept, actor="op")
    same = next(n for n in (f"w{i}" for i in range(50)) if partition_of(n, 3) == partition_of("bad", 3))
    parked.poison[same] = ValueError()
    await voice.tell(*([same] * 6))
    await parked.drain()
    assert await parked.letters() == [("bad", "parked")] * 3 + [(same, "parked")] * 6
    parked.poison.clear()
    await parked.later(minutes=1)
    assert (await parked.totals())[same] == 6


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_a_subject_freed_by_another_member_keeps_nobody_waiting_for_ever(parked, voice, make_db):
    """One member lets the last letter through while another queues a new event behind it: either way it flows."""
    other = parked.member(db=await make_db(parked.db.url))
    parked.poison.clear()
    for _ in range(10):
        parked.poison["bad"] = ValueError()
        await voice.tell("bad")
        await parked.drain()
        parked.poison.clear()
        parked.clock.advance(timedelta(minutes=1))
        await voice.tell("bad", "bad")
        outcomes = await asyncio.gather(parked.consumer.turn(), other.retry_due(), return_exceptions=True)
        assert not [o for o in outcomes if isinstance(o, BaseException)], outcomes
        await parked.drain()
        assert await parked.db.read(parking.depth) == (0, 0)
    assert (await parked.totals())["bad"] == voice.sequences["bad"]


Step = st.one_of(
    st.tuples(st.just("tell"), st.sampled_from("abc")),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("poison"), st.sampled_from("abc")),
    st.tuples(st.just("cure"), st.sampled_from("abc")),
    st.tuples(st.just("turn"), st.integers(0, 5)),
    st.tuples(st.just("later"), st.sampled_from([1, 40, 700])),
    st.tuples(st.just("restart"), st.none()),
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(Step, max_size=25))
def test_any_interleaving_duplication_and_failure_ends_in_the_same_figures(
    steps, kinds, sqlite_template, tmp_path_factory, monkeypatch
):
    """However events repeat, fail, wait and come back: in the end each subject has its newest state, and each event was
    answered once, a subject's in their order."""
    monkeypatch.setattr(consumer_module, "TRY_PAUSE", 0.0)
    asyncio.run(history(steps, kinds, sqlite_template, tmp_path_factory.mktemp("history")))


async def history(steps, kinds, template, folder):
    """Live through ``steps`` and see what is left when all is cured."""
    clock, (voice_kind, listener_kind) = FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), kinds
    shutil.copy(template, folder / "tally.sqlite3")
    db = SqliteDatabase(folder / "tally.sqlite3", clock, UnitContext("tally"))
    bus = EmbeddedBus(folder / "bus.sqlite3", clock, ["staff.directory"], 2)
    await db.open()
    await bus.open()
    voice, listener = voice_kind(bus, clock), listener_kind(db, bus, EventMetrics(CollectorRegistry()), clock)
    sent = []
    for what, value in steps:
        if what == "tell":
            sent.append(voice.record(value))
            await voice.send(sent[-1])
        elif what == "again" and value < len(sent):
            await voice.send(sent[value])
        elif what == "poison":
            listener.poison[value] = ValueError()
        elif what == "cure":
            listener.poison.pop(value, None)
        elif what == "turn":
            await listener.consumer.turn()
        elif what == "later":
            await listener.later(seconds=value)
        elif what == "restart":
            listener.consumer = listener.member()
    listener.poison.clear()
    await listener.drain()
    await listener.later(hours=2)
    answered = await listener.answered()
    assert await listener.totals() == voice.sequences
    for name, last in voice.sequences.items():
        assert [n for subject, n in answered if subject == name] == list(range(1, last + 1))
    await bus.close()
    await db.close()


async def test_a_backlog_is_not_held_up_by_looks_for_what_is_due(listener, voice, monkeypatch):
    monkeypatch.setattr(consumer_module, "LIMIT", 2)
    monkeypatch.setattr(consumer_module, "DUE_EVERY", 3600.0)
    looks = []

    async def look():
        looks.append(await listener.totals())
        return 0

    monkeypatch.setattr(listener.consumer, "retry_due", look)
    listener.consumer._looked = asyncio.get_running_loop().time()
    await voice.tell(*("a" * 5))
    await listener.consumer.turn()
    await listener.consumer.turn()
    assert looks == []
    await listener.consumer.turn()
    assert looks == [{"a": 5}]
    monkeypatch.setattr(consumer_module, "DUE_EVERY", 0.0)
    await voice.tell(*("a" * 2))
    await listener.consumer.turn()
    assert looks == [{"a": 5}, {"a": 7}]
