"""The outbox: state and event are one; sequences are gapless and told in their order."""

import asyncio
import itertools
import random

import pytest
import sqlalchemy as sa

from shared.contracts.staff import PersonState
from shared.db.tables import outbox
from shared.events.outbox import EventTooLarge
from shared.events.outgoing import Outgoing
from shared.testing.tally.spec import told
from shared.testing.tally.tables import add

ROWS = sa.select(outbox).order_by(outbox.c.seq)


async def rows(db):
    return [(row.subject, int(row.headers["ce_sequence"])) for row in await db.read(lambda reads: reads.all(ROWS))]


async def test_two_events_of_one_transaction_are_two_in_order(store):
    async def twice(uow):
        await uow.emit(told("a"), subject="a")
        await uow.emit(told("a"), subject="a")

    await store.write(twice, actor="t")
    await store.write(twice, actor="t")
    assert await rows(store) == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]


async def test_many_events_keep_their_order_and_count_on_from_what_was_told(store, noon):
    await store.write(lambda uow: uow.emit(told("b"), subject="b"), actor="t")
    many = [Outgoing(told(name), name, noon.now(), "import") for name in "abacab"]
    await store.write(lambda uow: uow.emit_many(many), actor="t")
    await store.write(lambda uow: uow.emit_many([]), actor="t")
    await store.write(lambda uow: uow.emit(told("a"), subject="a"), actor="t")
    assert await rows(store) == [
        ("b", 1), ("a", 1), ("b", 2), ("a", 2), ("c", 1), ("a", 3), ("b", 3), ("a", 4),
    ]  # fmt: skip


async def test_the_envelope_says_when_it_happened_and_when_it_was_kept(store, noon):
    happened = noon.now().replace(hour=1)
    await store.write(lambda uow: uow.emit(told("a"), subject="a", occurred_at=happened, origin="import"), actor="t")
    row = await store.read(lambda reads: reads.one(ROWS))
    headers = row.headers
    assert (headers["ce_time"], headers["ce_recordedtime"]) == (
        "2026-03-02T01:00:00.000000Z", "2026-03-02T04:00:00.000000Z",
    )  # fmt: skip
    assert headers["ce_id"] == row.event_id
    assert headers["ce_partitionkey"] == headers["ce_subject"] == "a"
    assert (headers["ce_origin"], headers["ce_source"], row.topic) == ("import", "/services/tally", "staff.directory")


@pytest.mark.parametrize("how", ["emit", "emit_many"])
async def test_an_event_too_large_for_the_topic_is_refused_in_the_unit(store, noon, how):
    huge = PersonState.model_construct(person="x" * 200_001, unit="hq", post="teller", active=True)

    async def tell(uow):
        await add(uow, "a", 1)
        await uow.emit(told("a"), subject="a")
        if how == "emit":
            await uow.emit(huge, subject="a")
        else:
            await uow.emit_many([Outgoing(told("a"), "a", uow.now), Outgoing(huge, "a", uow.now)])

    with pytest.raises(EventTooLarge):
        await store.write(tell, actor="t")
    assert await rows(store) == []
    await store.write(lambda uow: uow.emit(told("a"), subject="a"), actor="t")
    assert await rows(store) == [("a", 1)]


async def test_forty_writers_on_five_subjects_leave_no_gap_and_tell_in_order(store):
    """The sequence order of a subject is the order of its outbox rows, whatever else was told between."""
    chance = random.Random(7)

    async def unit(uow, mine):
        if len(mine) == 1:
            await uow.emit(told(mine[0]), subject=mine[0])
        else:
            await uow.emit_many([Outgoing(told(name), name, uow.now) for name in mine])

    async def writer():
        for _ in range(5):
            mine = chance.choices("abcde", k=chance.choice([1, 1, 2, 4]))
            await store.write(lambda uow, mine=mine: unit(uow, mine), actor="t")
            await asyncio.sleep(0)

    await asyncio.gather(*(writer() for _ in range(40)))
    told_rows = sorted(await rows(store), key=lambda row: row[0])
    for _, group in itertools.groupby(told_rows, key=lambda row: row[0]):
        sequences = [sequence for _, sequence in group]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_a_unit_that_fails_leaves_no_gap(store):
    async def fail(uow):
        await uow.emit(told("a"), subject="a")
        await uow.emit_many([Outgoing(told(name), name, uow.now) for name in "ab"])
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await store.write(fail, actor="t")
        await store.write(lambda uow: uow.emit(told("a"), subject="a"), actor="t")
    assert await rows(store) == [("a", 1), ("a", 2), ("a", 3)]


async def test_two_units_that_tell_of_the_same_new_subjects_do_not_share_a_sequence(store):
    """Neither sees the other's row before it is committed; the second must wait for it all the same."""

    async def unit(uow, names):
        await uow.emit_many([Outgoing(told(name), name, uow.now) for name in names])

    for n in range(10):
        names = [f"{n}-a", f"{n}-b"]
        await asyncio.gather(
            store.write(lambda uow, names=names: unit(uow, names), actor="t"),
            store.write(lambda uow, names=names: unit(uow, names[::-1]), actor="t"),
        )
    found = sorted(await rows(store))
    assert found == sorted((f"{n}-{x}", s) for n in range(10) for x in "ab" for s in (1, 2))


async def test_the_relay_is_woken_after_the_commit_and_only_for_events(make_db):
    db = await make_db()
    woken = []
    db.context.after_emit.append(lambda: woken.append(1))
    await db.write(lambda uow: add(uow, "a", 1), actor="t")
    assert woken == []
    await db.write(lambda uow: uow.emit(told("a"), subject="a"), actor="t")
    assert woken == [1]
