"""One unit of work: all or nothing, on both databases."""

import asyncio
import threading

import asyncpg
import pytest
import sqlalchemy as sa

from shared.db.errors import DatabaseError, DatabaseUnavailable, IntegrityViolation, UniqueConflict, ValueRefused
from shared.db.tables import outbox
from shared.testing.tally.spec import told
from shared.testing.tally.tables import ALL, LOCK, LOG, LOGGED, NEW, ONE, add

COUNT = sa.select(sa.func.count()).select_from(outbox)


async def totals(db):
    return {row.name: row.amount for row in await db.read(lambda reads: reads.all(ALL))}


async def test_a_unit_returns_its_value_once_it_is_kept(store):
    assert await store.write(lambda uow: add(uow, "a", 3), actor="t") == (3, 1)
    assert await store.write(lambda uow: add(uow, "a", 4), actor="t") == (7, 2)
    assert await totals(store) == {"a": 7}


async def test_a_failing_unit_leaves_neither_state_nor_event_and_the_next_one_lives(store):
    async def fail(uow):
        await add(uow, "a", 1)
        await uow.emit(told("a"), subject="a")
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.write(fail, actor="t")
    assert await totals(store) == {}
    assert await store.read(lambda reads: reads.scalar(COUNT)) == 0
    await store.write(lambda uow: add(uow, "b", 1), actor="t")
    assert await totals(store) == {"b": 1}


async def test_a_unit_sees_its_own_writes_and_the_clocks_time(store, noon):
    async def look(uow):
        await uow.execute(NEW, name="a", amount=1, sequence=0)
        return (await uow.one(ONE, name="a")).amount, uow.now, uow.actor

    assert await store.write(look, actor="me") == (1, noon.now(), "me")


async def test_a_read_stays_on_its_snapshot_while_others_write(store):
    await store.write(lambda uow: add(uow, "a", 1), actor="t")
    begun, written = threading.Event(), threading.Event()

    async def twice(reads):
        before = (await reads.one(ONE, name="a")).amount
        begun.set()
        # On SQLite the unit has a thread of its own; on PostgreSQL it shares the loop with the writer.
        while not written.is_set() and threading.current_thread() is threading.main_thread():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        written.wait(5)
        return before, (await reads.one(ONE, name="a")).amount

    reading = asyncio.create_task(store.read(twice))
    assert await asyncio.to_thread(begun.wait, 5)
    await store.write(lambda uow: add(uow, "a", 1), actor="t")
    written.set()
    assert await reading == (1, 1)
    assert await totals(store) == {"a": 2}


async def test_a_read_cannot_write(store):
    with pytest.raises(DatabaseError):
        await store.read(lambda reads: reads.one(NEW, name="a", amount=1, sequence=0))
    assert await totals(store) == {}


async def test_conflicts_have_one_name_and_are_seen_inside_the_unit(store):
    await store.write(lambda uow: uow.execute(NEW, name="a", amount=1, sequence=0), actor="t")
    seen = []

    async def again(uow):
        try:
            await uow.execute(NEW, name="a", amount=1, sequence=0)
        except UniqueConflict as error:
            seen.append(error.constraint)
            raise LookupError from error

    with pytest.raises(LookupError):
        await store.write(again, actor="t")
    assert seen
    with pytest.raises(IntegrityViolation):
        await store.write(lambda uow: uow.execute(NEW, name="b", amount=-1, sequence=0), actor="t")
    with pytest.raises(IntegrityViolation):
        await store.write(lambda uow: uow.execute(NEW, name="b", amount=None, sequence=0), actor="t")


@pytest.mark.parametrize("amount", [2**63, -(2**63) - 1, 10**4000], ids=["above", "below", "huge"])
async def test_a_number_beyond_the_column_is_the_callers_fault_not_trouble(store, amount):
    with pytest.raises(ValueRefused):
        await store.write(lambda uow: uow.execute(NEW, name="a", amount=amount, sequence=0), actor="t")


async def test_half_a_surrogate_pair_is_the_callers_fault_not_trouble(store):
    with pytest.raises(ValueRefused):
        await store.write(lambda uow: uow.execute(NEW, name="a\ud800", amount=1, sequence=0), actor="t")


async def test_nul_in_a_text_is_refused_or_kept_but_never_trouble(store, dialect):
    async def keep(uow):
        await uow.execute(NEW, name="a\x00b", amount=1, sequence=0)
        return (await uow.one(ONE, name="a\x00b")).name

    if dialect == "sqlite":
        assert await store.write(keep, actor="t") == "a\x00b"
    else:
        with pytest.raises(ValueRefused):
            await store.write(keep, actor="t")


@pytest.mark.parametrize("fault", [OSError("disk"), TimeoutError(), KeyError("x"), ValueError("y")])
async def test_a_units_own_error_is_raised_as_it_is(store, fault):
    async def fail(uow):
        await add(uow, "a", 1)
        raise fault

    with pytest.raises(type(fault)) as caught:
        await store.write(fail, actor="t")
    assert caught.value is fault
    assert await totals(store) == {}


async def test_a_cancelled_caller_harms_nobody_and_halves_nothing(store):
    go = threading.Event()

    async def slow(uow):
        await add(uow, "a", 1)
        if threading.current_thread() is threading.main_thread():
            await asyncio.sleep(0.05)
        else:
            go.wait(5)
        await uow.emit(told("a"), subject="a")

    task = asyncio.create_task(store.write(slow, actor="t"))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await store.write(lambda uow: add(uow, "b", 1), actor="t")
    kept = await totals(store)
    assert kept.pop("b") == 1
    assert await store.read(lambda reads: reads.scalar(COUNT)) == kept.get("a", 0)


async def test_concurrent_additions_are_all_counted(store):
    await asyncio.gather(*(store.write(lambda uow: add(uow, "a", 1), actor="t") for _ in range(60)))
    rows = await store.read(lambda reads: reads.all(LOGGED))
    assert (await totals(store), len(rows)) == ({"a": 60}, 60)


async def test_what_is_committed_is_there_after_reopening(make_db):
    first = await make_db()
    await first.write(lambda uow: uow.many(LOG, [{"name": "a", "amount": n} for n in range(300)]), actor="t")
    await first.close()
    second = await make_db(first.url)
    rows = await second.read(lambda reads: reads.all(LOGGED))
    assert [row.amount for row in rows] == list(range(300))


async def test_a_closed_database_says_so(store):
    await store.close()
    with pytest.raises(DatabaseUnavailable):
        await store.write(lambda uow: add(uow, "a", 1), actor="t")
    with pytest.raises(DatabaseUnavailable):
        await store.read(lambda reads: reads.all(ALL))


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_of_two_units_in_a_deadlock_both_go_through(store):
    for name in "ab":
        await store.write(lambda uow, name=name: add(uow, name, 1), actor="t")
    barrier = asyncio.Barrier(2)
    runs = []

    async def both(uow, first, second):
        await uow.one(LOCK, name=first)
        runs.append(first)
        if len(runs) <= 2:
            await barrier.wait()
        await add(uow, second, 1)
        await add(uow, first, 1)

    await asyncio.gather(
        store.write(lambda uow: both(uow, "a", "b"), actor="t"), store.write(lambda uow: both(uow, "b", "a"), actor="t")
    )
    assert len(runs) == 3
    assert await totals(store) == {"a": 3, "b": 3}


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_a_connection_that_dies_is_trouble_and_the_next_unit_has_a_new_one(store, postgres):
    held = asyncio.Event()

    async def hold(uow):
        await add(uow, "a", 1)
        held.set()
        await asyncio.sleep(0.2)
        await add(uow, "a", 1)

    task = asyncio.create_task(store.write(hold, actor="t"))
    await held.wait()
    admin = await asyncpg.connect(postgres)
    name = store.url.partition("?")[0].rsplit("/", 1)[1]
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await admin.close()
    with pytest.raises(DatabaseUnavailable):
        await task
    assert await store.write(lambda uow: add(uow, "a", 1), actor="t") == (1, 1)


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_a_statement_that_takes_too_long_is_trouble(make_db):
    db = await make_db(statement_timeout_ms=100)
    await db.write(lambda uow: add(uow, "a", 1), actor="t")
    held = asyncio.Event()
    go = asyncio.Event()

    async def hold(uow):
        await add(uow, "a", 1)
        held.set()
        await go.wait()

    task = asyncio.create_task(db.write(hold, actor="t"))
    await held.wait()
    with pytest.raises(DatabaseUnavailable):
        await db.write(lambda uow: add(uow, "a", 1), actor="t")
    go.set()
    await task
    assert await totals(db) == {"a": 2}
