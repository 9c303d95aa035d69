"""What a doctor is told of a process."""

from collections import namedtuple
from datetime import timedelta

import pytest

from shared.db.postgres import PostgresDatabase
from shared.observability import condition as module
from shared.testing.system import system
from shared.testing.tally.spec import SPEC

Usage = namedtuple("Usage", "total used free")


async def shown(running):
    answer = await running.call("GET", "/operator/v1/tally/condition", "operator", units=("*",), expect=200)
    return answer.json()


async def test_disk_and_migrations_of_a_healthy_process(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(1000, 970, 30))
    async with system([SPEC], tmp_path) as running:
        found = await shown(running)
    assert (found["migrated"], found["clock_ahead_seconds"], found["keys_unknown"]) == (True, 0.0, 0)
    assert (found["disk_free_bytes"], found["disk_free_share"]) == (30, 0.03)


async def test_only_operations_and_auditors_may_look(tmp_path):
    async with system([SPEC], tmp_path) as running:
        await running.call("GET", "/operator/v1/tally/condition", "teller", expect=403)
        await running.call("GET", "/operator/v1/nobody/condition", "operator", units=("*",), expect=404)


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_our_clock_is_compared_with_the_servers(store, noon):
    real = PostgresDatabase(store.url, noon, store.context)
    await real.open()
    server = await real.time()
    assert server.utcoffset() == timedelta(0)
    assert abs(server - noon.now()) > timedelta(days=1), "the test's clock stands still in another season"
    await real.close()
