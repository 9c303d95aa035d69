"""Of a batch only what says something is read, and nothing unreadable is lost by it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.base import Record
from shared.clock import SystemClock
from shared.contracts.staff import PersonState
from shared.events import reading
from shared.events.envelope import headers_of
from shared.events.handlers import project, react
from shared.events.reading import Reader
from shared.testing.tally.spec import told

NOW = SystemClock().now()
RECORDS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from(["good", "good", "good", "bad", "other"])),
    max_size=12,
)


@pytest.fixture(scope="module", autouse=True)
def any_batch_is_a_backlog():
    """Small batches show the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BACKLOG", 0)
        yield


@project(PersonState, states=True)
async def states(uow, events): ...


@project(PersonState)
async def every(uow, events): ...


@react(PersonState, max_age=None)
async def answer(uow, event): ...


def record(offset, subject, sequence, how="good", **changes):
    """A record: readable, of a type that nobody handles, or not readable."""
    data = told(subject)
    headers = headers_of(
        event_id=f"e{offset}", service="staff", data=data, subject=subject, sequence=sequence, occurred_at=NOW,
        recorded_at=NOW, origin="live", traceparent="",
    )  # fmt: skip
    if how == "other":
        headers["ce_type"] = "com.example.other"
    return Record(offset, headers | changes, b"{" if how == "bad" else data.write())


def offsets(read):
    return [each.offset for each, _ in read.readable]


@given(RECORDS)
def test_what_is_read_is_the_newest_of_each_subject_in_the_order_of_the_log(told_of):
    records = [record(i, *each) for i, each in enumerate(told_of)]
    read, whole = Reader([states]).read(records), Reader([states]).read(records, every=True)
    assert read.skipped == whole.skipped == sum(how == "other" for *_, how in told_of)
    assert len(records) == read.skipped + read.superseded + len(read.readable) + len(read.dead)
    assert whole.superseded == 0
    if read.superseded:
        assert not read.dead
    newest = {}
    for i, (subject, sequence, how) in enumerate(told_of):
        if how == "good" and (subject not in newest or newest[subject][0] < sequence):
            newest[subject] = sequence, i
    assert {i for _, i in newest.values()} <= set(offsets(read)) <= set(offsets(whole))
    assert offsets(read) == sorted(offsets(read))
    if not any(how == "bad" for *_, how in told_of):
        assert sorted(i for _, i in newest.values()) == offsets(read)


def test_one_that_cannot_be_read_hides_no_older_one():
    read = Reader([states]).read([record(0, "a", 1), record(1, "b", 1), record(2, "b", 2), record(3, "a", 2, "bad")])
    assert (offsets(read), [each.offset for each, _ in read.dead], read.superseded) == ([0, 1, 2], [3], 0)


@pytest.mark.parametrize("changes", [{"ce_sequence": "x"}, {"ce_sequence": ""}])
def test_one_whose_place_cannot_be_read_is_dead(changes):
    read = Reader([states]).read([record(0, "a", 1), record(1, "a", 2, **changes)])
    assert (offsets(read), [code for _, code in read.dead]) == ([0], ["attribute:ValueError"])


@pytest.mark.parametrize("handlers", [[every], [answer], [states, every], [states, answer]])
def test_who_hears_every_event_gets_every_event(handlers):
    read = Reader(handlers).read([record(0, "a", 1), record(1, "a", 2)])
    assert (offsets(read), read.superseded) == ([0, 1], 0)


async def test_a_parked_subject_keeps_also_what_is_superseded(listener, voice):
    seen = []

    @project(PersonState, states=True)
    async def newest(uow, events):
        seen.append([(event.subject, event.sequence) for event in events])
        if listener.poison:
            raise ValueError

    listener.handlers = (newest,)
    member = listener.member()
    listener.poison["a"] = True
    await voice.tell("a")
    await listener.drain(member)
    assert await listener.letters() == [("a", "parked")]
    listener.poison.clear()
    seen.clear()
    await voice.tell("a", "b", "a", "b")
    await listener.drain(member)
    assert [pair for batch in seen for pair in batch] == [("b", 2)]
    assert await listener.letters() == [("a", "parked")] * 3
    seen.clear()
    listener.clock.advance(timedelta(seconds=31))
    await listener.drain(member)
    assert await listener.letters() == [("a", "done")] * 3


async def test_superseded_events_count_as_handled(listener, voice, registry):
    @project(PersonState, states=True)
    async def newest(uow, events):
        listener.batches.append([(event.subject, event.sequence) for event in events])

    listener.handlers = (newest,)
    await voice.tell(*("a" * 9))
    assert await listener.drain(listener.member()) == 9
    assert listener.batches == [[("a", 9)]]
    assert registry.get_sample_value("wangdian_events_handled_total", {"service": "tally"}) == 9


def test_what_comes_as_it_happens_is_read_whole(monkeypatch):
    monkeypatch.setattr(reading, "BACKLOG", 3)
    records = [record(0, "a", 1, "bad"), record(1, "a", 2), record(2, "a", 3)]
    few, many = Reader([states]).read(records[:2]), Reader([states]).read(records)
    assert (offsets(few), len(few.dead), few.superseded) == ([1], 1, 0)
    assert (offsets(many), len(many.dead), many.superseded) == ([2], 0, 2)
