"""The relay of one process is woken by the commits of another."""

import asyncio

import asyncpg
import pytest

from shared.db.postgres import PostgresDatabase
from shared.db.uow import UnitContext
from shared.testing.tally.spec import told

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'wangdian-doorbell' AND datname = current_database()
"""
pytestmark = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)


@pytest.fixture
async def pair(store, noon):
    """An API's database that rings, a worker's that listens, and the event that its relay waits for."""
    woken = asyncio.Event()
    api = PostgresDatabase(store.url, noon, UnitContext("tally"), bell="rings")
    worker = PostgresDatabase(store.url, noon, UnitContext("tally", after_emit=[woken.set]), bell="listens")
    await api.open()
    await worker.open()
    await asyncio.wait_for(woken.wait(), 10)  # once it listens it looks for what was committed before
    woken.clear()
    yield api, worker, woken
    await api.close()
    await worker.close()


def emit(uow):
    return uow.emit(told("a"), subject="a")


async def test_a_commit_with_events_rings_at_the_other_process(pair):
    api, _, woken = pair
    await api.write(emit, actor="t")
    await asyncio.wait_for(woken.wait(), 10)


async def test_neither_a_failed_unit_nor_one_without_events_rings(pair):
    api, _, woken = pair

    async def fails(uow):
        await emit(uow)
        raise LookupError

    with pytest.raises(LookupError):
        await api.write(fails, actor="t")
    await api.write(lambda uow: asyncio.sleep(0), actor="t")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(woken.wait(), 0.3)


async def test_a_bell_whose_line_was_cut_rings_again(pair, monkeypatch):
    monkeypatch.setattr("shared.db.doorbell.AGAIN", 0.05)
    api, _, woken = pair
    shell = await asyncpg.connect(api.url)
    assert len(await shell.fetch(CUT)) == 3
    await shell.close()
    # The listener looks by itself for what it may have missed.
    await asyncio.wait_for(woken.wait(), 10)
    for _ in range(100):
        woken.clear()
        await api.write(emit, actor="t")
        try:
            await asyncio.wait_for(woken.wait(), 0.2)
            break
        except TimeoutError:
            continue
    assert woken.is_set()
