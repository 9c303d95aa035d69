"""Concurrent clients of the embedded system, one of whose processes dies under them: the history has no faults."""

import asyncio

from tests.history.load import customers, head_starts, judge
from tests.history.record import Book


async def test_the_embedded_system_keeps_its_promises(running, tmp_path):
    running.start()
    await asyncio.to_thread(running.wait_ready)
    await asyncio.to_thread(running.wait_for_bank)
    file = tmp_path / "history.jsonl"
    with Book(file) as book:
        come = asyncio.create_task(customers(running.base_url, running.token, book, visits=150, seed=3))
        await asyncio.to_thread(running.wait_dead, 1.5)
        running.kill()
        running.start()
        await come
    faults, proven = judge(file, head_starts(running.base_url, lambda: running.token("head_office")))
    assert faults == []
    assert proven["tickets"] >= 150 > proven["unanswered"] == 0
    assert proven["calls"] > 100 and proven["reads"] > 100
