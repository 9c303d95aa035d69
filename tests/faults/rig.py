"""What the tests of faults share: customers while something is broken, and a look from outside at what came of it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from wangdian_client import AsyncWangdian
from wangdian_client.demo import Scenario, run_demo

from services.commands.example_bank import PATIENCE
from services.example_bank import load_bank
from services.registry import SERVICES
from shared.testing.stack.stack import ROLES, Stack
from tests.chaos.flow import CALM, is_calm
from tests.history.load import customers, head_starts, judge
from tests.history.record import Book

_numbers = count(1)


async def load(stack: Stack) -> None:
    """The example bank."""
    async with AsyncWangdian(stack.url, token_provider=partial(stack.token, "head_office"), retry=PATIENCE) as client:
        await load_bank(client)


class Scene:
    """One running system under one fault; ``folder`` keeps the history."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self._file = folder / "history.jsonl"
        self.forget_processes()

    def forget_processes(self) -> None:
        """Those that run now are the ones that must stay."""
        self._pids = {name: child.pid for name, child in self.stack.children.items() if " " in name}

    @asynccontextmanager
    async def customers(self, *, visits: int = 150, **more: Any) -> AsyncIterator[None]:
        """Customers during the block, however long it lasts, who then go on until all are served; the history must be
        without faults."""
        policy = head_starts(self.stack.url, lambda: self.stack.token("head_office"))
        options = {"arrival_seconds": 0.2, "service_seconds": 0.02, "max_seconds": 200.0} | more
        over = False

        async def while_it_lasts(book: Book) -> None:
            while not over:
                await customers(self.stack.url, self.stack.token, book, visits=visits, seed=next(_numbers), **options)

        with Book(self._file) as book:
            come = asyncio.create_task(while_it_lasts(book))
            try:
                yield
                over = True
                await come
            finally:
                come.cancel()
                await asyncio.gather(come, return_exceptions=True)
        faults, proven = judge(self._file, policy)
        sys.stdout.write(f"{proven}\n")
        assert faults == []
        # On a busy machine a caller may give up on a write before the fault is over; the history holds all the same.
        assert proven["tickets"] >= visits and proven["unanswered"] <= proven["operations"] // 50

    async def come(self, visits: int) -> None:
        """Some customers, all of whom are served or leave."""
        await run_demo(self.stack.url, Scenario(visits=visits, seed=next(_numbers)), self.stack.token)

    async def ticket(self, key: str | None = None, service: str = "cash") -> httpx.Response:
        """One ticket, asked for once, without a gateway between."""
        url = f"http://127.0.0.1:{self.stack.public_port('queue')}/queue/v1/branches/gz-001/tickets"
        headers = {"Authorization": f"Bearer {self.stack.token('kiosk', None, 'gz-001')}"}
        headers["Idempotency-Key"] = key or f"fault-{next(_numbers)}"
        async with httpx.AsyncClient(timeout=30) as client:
            return await client.post(url, headers=headers, json={"service": service, "channel": "kiosk"})

    async def refused(self) -> None:
        """A write is answered as unavailable, with a time to come again."""
        reply = await until(self._not_taken)
        assert reply.status_code == 503, reply.text
        assert reply.headers["content-type"] == "application/problem+json"
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.json()["code"] == "unavailable"

    async def is_refused(self) -> bool:
        """Whether a ticket is refused now."""
        return await self._not_taken() is not None

    async def status_of(self, visit: str) -> str:
        """How a visit is shown."""
        url = f"{self.stack.url}/queue/v1/visits/{visit}"
        async with httpx.AsyncClient(timeout=30) as client:
            reply = await client.get(url, headers={"Authorization": f"Bearer {self.stack.token('head_office')}"})
        return str(reply.raise_for_status().json()["status"])

    async def alive(self) -> bool:
        """Whether every process says that its loops turn: nobody would start it anew."""
        async with httpx.AsyncClient(timeout=5) as client:
            urls = [self.stack.operator_url(name, role) for name in SERVICES for role in ROLES]
            return all([(await client.get(f"{url}/livez")).is_success for url in urls])

    async def _not_taken(self) -> httpx.Response | None:
        reply = await self.ticket()
        return None if reply.is_success else reply

    async def caught_up(self, seconds: float = 60.0) -> None:
        """By itself all is told and heard, by the very processes there were, and the figures are right."""
        await until(self._taken, seconds)
        calm, until_ = 0, time.monotonic() + seconds
        async with httpx.AsyncClient(base_url=self.stack.operations, timeout=10) as client:
            while calm < CALM:
                headers = {"Authorization": f"Bearer {self.stack.token('operator')}"}
                replies = {name: await client.get(f"/operator/v1/{name}/flow", headers=headers) for name in SERVICES}
                flow = {name: reply.json() for name, reply in replies.items() if reply.is_success}
                calm = calm + 1 if len(flow) == len(SERVICES) and is_calm(flow) else 0
                assert time.monotonic() < until_, {name: reply.text for name, reply in replies.items()}
                await asyncio.sleep(0.3)
        assert {name: child.pid for name, child in self.stack.children.items() if name in self._pids} == self._pids
        assert all(child.alive for child in self.stack.children.values())
        assert await opened(self.stack) == await shown(self.stack, "visits.opened")

    async def _taken(self) -> bool:
        reply = await self.ticket()
        # Below 500 it will not change by itself.
        assert reply.is_success or reply.status_code == 503, f"{reply.text} {self.stack.children['queue serve'].tail()}"
        return reply.is_success


async def until(check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer of an asynchronous check."""
    deadline = time.monotonic() + seconds
    while not (found := await check()):
        assert time.monotonic() < deadline, check
        await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def connected(stack: Stack, database: str) -> AsyncIterator[Any]:
    """A connection of an administrator."""
    connection = await asyncpg.connect(stack.database_url(database), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def opened(stack: Stack) -> int:
    """How many visits the queue's own table has."""
    async with connected(stack, "queue") as connection:
        return await connection.fetchval("SELECT count(*) FROM visit")


async def shown(stack: Stack, metric: str) -> int:
    """What the aggregator counts over the whole bank and all days."""
    async with connected(stack, "queue") as connection:
        first, last = await connection.fetchrow("SELECT min(business_date), max(business_date) FROM visit")
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
        reply = await client.get(
            f"/aggregator/v1/metrics/{metric}",
            params={"unit": "hq", "from": str(first), "to": str(last), "by": "total"},
            headers={"Authorization": f"Bearer {stack.token('head_office')}"},
        )
    return sum(round(point["numerator"] or 0) for point in reply.raise_for_status().json()["points"])
