"""SQLite's one writer: units share a commit, and nothing else."""

import asyncio
import statistics
import threading
import time

import pytest

from shared.db import sqlite
from shared.db.errors import DatabaseUnavailable
from shared.testing.tally.spec import told
from shared.testing.tally.tables import ALL, add

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


class Faulty:
    """A connection that counts its commits and fails the statements it is told to."""

    def __init__(self, raw):
        self.raw, self.failing, self.commits = raw, {}, 0

    def __getattr__(self, name):
        return getattr(self.raw, name)

    def execute(self, sql, *values):
        left = self.failing.get(sql, 0)
        if left:
            self.failing[sql] = left - 1
            error = sqlite.sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = 10
            raise error
        self.commits += sql == "COMMIT"
        return self.raw.execute(sql, *values)


@pytest.fixture
def writers(monkeypatch):
    """The writer connections made from now on."""
    made, connect = [], sqlite.connect

    def faulty(path, *, readonly=False):
        if readonly:
            return connect(path, readonly=True)
        made.append(Faulty(connect(path)))
        return made[-1]

    monkeypatch.setattr(sqlite, "connect", faulty)
    return made


class Gate:
    """Holds the writer thread, so that what is queued meanwhile becomes one batch."""

    def __init__(self, db):
        self.entered, self.go = threading.Event(), threading.Event()
        self.task = asyncio.create_task(db.write(self._hold, actor="gate"))

    async def _hold(self, uow):
        self.entered.set()
        self.go.wait(10)

    async def batch(self, *writes):
        """The outcomes of ``writes``, run as one batch."""
        assert await asyncio.to_thread(self.entered.wait, 5)
        tasks = [asyncio.create_task(write) for write in writes]
        await asyncio.sleep(0)
        self.go.set()
        await self.task
        return await asyncio.gather(*tasks, return_exceptions=True)


def adding(name):
    return lambda uow: add(uow, name, 1)


async def names(db):
    return [row.name for row in await db.read(lambda reads: reads.all(ALL))]


@pytest.fixture(params=[False, True], ids=["long", "brief"])
def brief(request):
    """Whether the units promise to be brief, and so run on the loop's thread."""
    return request.param


async def test_one_commit_serves_many_units(writers, make_db, brief):
    db = await make_db()
    gate = Gate(db)
    outcomes = await gate.batch(*(db.write(adding("a"), actor="t", brief=brief) for _ in range(20)))
    assert outcomes == [(n, n) for n in range(1, 21)]
    assert writers[0].commits <= 4


async def test_a_failing_unit_rolls_back_only_itself(writers, make_db, brief):
    db = await make_db()

    async def fail(uow):
        await add(uow, "bad", 1)
        raise LookupError

    outcomes = await Gate(db).batch(
        db.write(adding("before"), actor="t", brief=brief),
        db.write(fail, actor="t", brief=brief),
        db.write(adding("after"), actor="t", brief=brief),
    )
    assert [type(outcome) for outcome in outcomes] == [tuple, LookupError, tuple]
    assert await names(db) == ["after", "before"]


async def test_nothing_of_a_lost_batch_is_acknowledged_or_kept_and_the_writer_lives_on(writers, make_db, brief):
    db = await make_db()
    gate = Gate(db)
    assert await asyncio.to_thread(gate.entered.wait, 5)
    tasks = [asyncio.create_task(db.write(adding(name), actor="t", brief=brief)) for name in "abc"]
    tasks.append(asyncio.create_task(db.write(lambda uow: uow.emit(told("x"), subject="x"), actor="t", brief=brief)))
    woken = []
    db.context.after_emit.append(lambda: woken.append(1))
    await asyncio.sleep(0)
    # The gate's own commit and that of the four behind it.
    writers[0].failing = {"COMMIT": 2}
    gate.go.set()
    outcomes = await asyncio.gather(gate.task, *tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    writers[0].failing = {}
    assert woken == []
    assert await names(db) == []
    await db.write(adding("d"), actor="t")
    assert await names(db) == ["d"]


async def test_a_disk_that_fails_even_the_rollback_does_not_end_the_writer(writers, make_db, brief):
    db = await make_db()
    writers[0].failing = {"COMMIT": 1, "ROLLBACK": 1}
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(db.write(adding("a"), actor="t", brief=brief), 5)
    await asyncio.wait_for(db.write(adding("b"), actor="t", brief=brief), 5)
    assert await names(db) == ["b"]


async def test_a_disk_that_fails_already_at_the_beginning_is_trouble_and_passes(writers, make_db, brief):
    db = await make_db()
    writers[0].failing = {"BEGIN IMMEDIATE": 2}
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(db.write(adding("a"), actor="t", brief=brief), 5)
    writers[0].failing = {}
    await asyncio.wait_for(db.write(adding("b"), actor="t", brief=brief), 5)
    assert await names(db) == ["b"]


async def test_another_process_that_holds_the_file_stops_neither_the_loop_nor_the_unit_behind_it(make_db, brief):
    """An operator's shell in a transaction: the loop turns on, and the unit is done when the lock is let go."""
    db = await make_db()
    shell = sqlite.connect(db.path)
    shell.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(db.write(adding("a"), actor="t", brief=brief))
    longest = 0.0
    for _ in range(10):
        begun = time.perf_counter()
        await asyncio.sleep(0.02)
        longest = max(longest, time.perf_counter() - begun)
    assert not waiting.done()
    assert longest < 1, "a statement that waits for a lock would have held the loop for ten seconds"
    shell.execute("ROLLBACK")
    shell.close()
    assert await asyncio.wait_for(waiting, 10) == (1, 1)


async def test_units_of_both_kinds_keep_their_order(make_db):
    db = await make_db()
    order = []

    def noting(n):
        async def unit(uow):
            order.append((n, threading.current_thread() is threading.main_thread()))

        return unit

    await Gate(db).batch(*(db.write(noting(n), actor="t", brief=n % 3 > 0) for n in range(12)))
    assert [n for n, _ in order] == list(range(12))
    await db.write(noting(12), actor="t", brief=True)
    await db.write(noting(13), actor="t")
    assert order[12:] == [(12, True), (13, False)]


async def test_a_full_disk_is_trouble_and_passes(writers, make_db):
    db = await make_db()
    pages = writers[0].raw.execute("PRAGMA page_count").fetchone()[0]
    writers[0].raw.execute(f"PRAGMA max_page_count = {pages}")

    async def much(uow):
        for n in range(2000):
            await add(uow, f"n{n:05}", 1)

    first, second = await asyncio.gather(
        db.write(much, actor="t"), db.write(adding("a"), actor="t"), return_exceptions=True
    )
    assert isinstance(first, DatabaseUnavailable)
    # It may have shared the transaction that SQLite ended; then it must not be kept either.
    assert isinstance(second, DatabaseUnavailable | tuple)
    assert await names(db) == (["a"] if isinstance(second, tuple) else [])
    writers[0].raw.execute("PRAGMA max_page_count = 1000000")
    await db.write(much, actor="t")
    assert len(await names(db)) >= 2000


async def test_a_read_only_file_is_trouble(writers, make_db):
    db = await make_db()
    writers[0].raw.execute("PRAGMA query_only = ON")
    with pytest.raises(DatabaseUnavailable):
        await db.write(adding("a"), actor="t")
    writers[0].raw.execute("PRAGMA query_only = OFF")
    await db.write(adding("a"), actor="t")


async def test_a_file_that_cannot_be_opened_is_trouble(make_db, tmp_path):
    db = await make_db()
    db.path = tmp_path / "nowhere" / "x.sqlite3"
    await db.close()
    with pytest.raises(DatabaseUnavailable):
        await db.open()


async def test_a_unit_that_awaits_anything_else_is_refused(make_db):
    db = await make_db()

    async def rests(uow):
        await add(uow, "a", 1)
        await asyncio.sleep(0)

    async def reads(reads):
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may await nothing"):
        await db.write(rests, actor="t")
    with pytest.raises(RuntimeError, match="may await nothing"):
        await db.read(reads)
    assert await names(db) == []


async def test_closing_finishes_what_was_accepted_and_answers_whoever_comes_later(make_db):
    db = await make_db()
    gate = Gate(db)
    assert await asyncio.to_thread(gate.entered.wait, 5)
    accepted = [asyncio.create_task(db.write(adding("a"), actor="t")) for _ in range(5)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(db.close())
    await asyncio.sleep(0.01)
    late = asyncio.create_task(db.write(adding("late"), actor="t"))
    gate.go.set()
    assert await asyncio.gather(*accepted) == [(n, n) for n in range(1, 6)]
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(late, 5)
    await closing
    again = await make_db(db.url)
    assert await names(again) == ["a"]


async def test_forty_writers_wait_their_turn_fairly(make_db, brief):
    """No lock error, and the slowest hundredth waits at most five times the median.

    A wait is counted in others' writes acknowledged meanwhile: that is what fairness means, and no other program on the
    machine can spoil it. ``make bench`` has the same in milliseconds.
    """
    db = await make_db()
    acknowledged = 0
    waits = []

    async def one():
        nonlocal acknowledged
        for _ in range(25):
            before = acknowledged
            await db.write(adding("a"), actor="t", brief=brief)
            acknowledged += 1
            waits.append(acknowledged - before)

    await asyncio.gather(*(one() for _ in range(40)))
    assert statistics.quantiles(waits, n=100)[98] <= 5 * statistics.median(waits), sorted(waits)[::50]
    rows = await db.read(lambda reads: reads.all(ALL))
    assert rows[0].amount == 1000
