"""Concurrent clients of the distributed system, one of whose APIs dies under them: the history has no faults."""

import asyncio

from tests.history.load import customers, head_starts, judge
from tests.history.record import Book


async def test_the_distributed_system_keeps_its_promises(used, tmp_path):
    file = tmp_path / "history.jsonl"
    with Book(file) as book:
        come = asyncio.create_task(customers(used.url, used.token, book, visits=150, seed=7, arrival_seconds=0.1))
        await asyncio.sleep(2)
        used.kill("queue serve")
        await asyncio.to_thread(used.start, "queue serve")
        await come
    faults, proven = judge(file, head_starts(used.url, lambda: used.token("head_office")))
    assert faults == []
    assert proven["tickets"] >= 150 > proven["unanswered"] == 0
    assert proven["calls"] > 100 and proven["reads"] > 100
