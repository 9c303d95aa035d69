"""Alerts fire by their real causes and clear when those are gone, in a real Prometheus with the committed rules.

Their windows and waits are thirty times as short as deployed (tests/distributed/test_live_alerts.py shows that nothing
else is changed).
"""

import asyncio
import csv
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import httpx
import pytest

from shared.ids import uuid7
from shared.testing.stack.alarm import Alarm
from tests.distributed.poison import letters
from tests.distributed.tools import wangdian
from tests.faults.rig import Scene, connected

TIMES = 30


@pytest.fixture
def alarm(scene: Scene, tmp_path: Path) -> Iterator[Alarm]:
    """Watches the system."""
    with Alarm(scene.stack, tmp_path / "alarm", TIMES) as watching:
        yield watching


async def fires(alarm: Alarm, name: str, service: str) -> None:
    """Wait for it, and let the loop turn."""
    await asyncio.to_thread(alarm.fires, name, service)


async def clears(alarm: Alarm, name: str, service: str) -> None:
    """Wait for its end, and let the loop turn."""
    await asyncio.to_thread(alarm.clears, name, service)


async def test_an_outbox_that_ages_while_kafka_is_down(scene: Scene, alarm: Alarm) -> None:
    scene.stack.kill("kafka")
    try:
        assert (await scene.ticket()).is_success, "the counter does not notice"
        await fires(alarm, "OutboxStuck", "queue")
        assert float(alarm.ask('service:outbox_oldest_seconds:max{service="queue"}')[0]["value"][1]) > 60
    finally:
        await asyncio.to_thread(scene.stack.start, "kafka")
    await clears(alarm, "OutboxStuck", "queue")
    await scene.caught_up()


COLUMNS = (
    "external_key", "business_date", "service", "class", "outcome", "issued_at", "called_at", "started_at",
    "finished_at", "left_at", "staff_ref", "window",
)  # fmt: skip
_days = count(1)


def history(folder: Path, lines: int) -> Path:
    """A day of history: so many customers who were served."""
    day = next(_days)
    opened = datetime(2025, 1, 1, 9, tzinfo=timezone(timedelta(hours=8))) + timedelta(days=day)
    path = folder / f"day-{day}.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for number in range(lines):
            times = [opened + timedelta(seconds=10 * number + later) for later in (0, 60, 70, 200)]
            out.writerow(
                [f"lag-{day}-{number}", opened.date(), "cash", "ordinary", "served"]
                + [at.isoformat() for at in times]
                + ["", "07", "2"]
            )
    return path


async def test_a_lag_that_grows_while_no_worker_runs(scene: Scene, alarm: Alarm, tmp_path: Path) -> None:
    stack, stop = scene.stack, asyncio.Event()

    async def bring_history() -> None:
        while not stop.is_set():
            file = history(tmp_path, 600)
            said = await asyncio.to_thread(wangdian, stack, "import", "visits", "--unit", "gz-001", str(file))
            assert said.startswith("completed: 600 lines, 600 accepted"), said

    stack.kill("aggregator work")
    bringing = asyncio.create_task(bring_history())
    try:
        await fires(alarm, "WorkerMissing", "aggregator")
        await fires(alarm, "ConsumerLagGrows", "aggregator")
    finally:
        stop.set()
        await bringing
        await asyncio.to_thread(stack.start, "aggregator work")
        scene.forget_processes()
    await clears(alarm, "ConsumerLagGrows", "aggregator")
    await clears(alarm, "WorkerMissing", "aggregator")
    await scene.caught_up(120.0)


async def test_a_parked_subject_that_is_tried_again_once_its_cause_is_gone(scene: Scene, alarm: Alarm) -> None:
    stack, reason = scene.stack, f"no_{uuid7().replace('-', '_')}"
    async with connected(stack, "aggregator") as database:
        visit = ""
        await database.execute(f"ALTER TABLE fact_visit ADD CONSTRAINT {reason} CHECK (service <> 'account') NOT VALID")
        try:
            visit = (await scene.ticket(service="account")).json()["id"]
            await fires(alarm, "SubjectsParked", "aggregator")
            assert letters(stack)[visit][1] == "parked"
        finally:
            await database.execute(f"ALTER TABLE fact_visit DROP CONSTRAINT {reason}")
            for letter, _ in letters(stack).values():
                wangdian(stack, "events", "retry", letter, "--service", "aggregator", "--url", stack.operations)
    await clears(alarm, "SubjectsParked", "aggregator")
    assert letters(stack) == {}
    await scene.caught_up()


async def test_an_event_loop_that_is_blocked_again_and_again(scene: Scene, alarm: Alarm) -> None:
    process, over = scene.stack.children["surveys serve"], threading.Event()

    def hold_up() -> None:
        while not over.is_set():
            process.send(signal.SIGSTOP)
            time.sleep(0.25)
            process.send(signal.SIGCONT)
            time.sleep(0.25)

    holding = asyncio.create_task(asyncio.to_thread(hold_up))
    try:
        await fires(alarm, "EventLoopBlocked", "surveys")
    finally:
        over.set()
        await holding
    await clears(alarm, "EventLoopBlocked", "surveys")


@asynccontextmanager
async def asking(ask: Callable[[httpx.AsyncClient], object]) -> AsyncIterator[list[int]]:
    """Ask some ten times a second during the block; the statuses of the answers."""
    stop, told = asyncio.Event(), list[int]()

    async def go_on() -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            while not stop.is_set():
                reply = await ask(client)  # type: ignore[misc]
                told.append(reply.status_code)
                await asyncio.sleep(0.1)

    going = asyncio.create_task(go_on())
    try:
        yield told
    finally:
        stop.set()
        await going


async def test_budgets_that_burn_fast_and_slowly(scene: Scene, alarm: Alarm) -> None:
    """Surveys cannot read a table that is locked: errors. The queue waits again and again for one: slow answers."""
    stack, healed = scene.stack, asyncio.Event()
    tickets = f"http://127.0.0.1:{stack.public_port('queue')}/queue/v1/branches/gz-001/tickets"
    link = f"http://127.0.0.1:{stack.public_port('surveys')}/surveys/v1/invitations/{'A' * 22}"
    headers = {"Authorization": f"Bearer {stack.token('kiosk', None, 'gz-001')}"}

    async def take(client: httpx.AsyncClient) -> httpx.Response:
        body = {"service": "cash", "channel": "kiosk"}
        return await client.post(tickets, headers=headers | {"Idempotency-Key": uuid7()}, json=body)

    async def slow() -> None:
        async with connected(stack, "queue") as admin:
            while not healed.is_set():
                async with admin.transaction():
                    await admin.execute("LOCK TABLE ticket_counter IN ACCESS EXCLUSIVE MODE")
                    await asyncio.sleep(0.6)
                await asyncio.sleep(0.05)

    async with asking(lambda client: client.get(link)) as read, asking(take) as taken:
        slowing = asyncio.create_task(slow())
        try:
            async with connected(stack, "surveys") as admin, admin.transaction():
                await admin.execute("LOCK TABLE invitation IN ACCESS EXCLUSIVE MODE")
                for name in ("HttpErrorBudgetBurnsFast", "HttpErrorBudgetBurnsSlowly"):
                    await fires(alarm, name, "surveys")
            for name in ("HttpLatencyBudgetBurnsFast", "HttpLatencyBudgetBurnsSlowly"):
                await fires(alarm, name, "queue")
        finally:
            healed.set()
            await slowing
        assert 503 in read and set(read) <= {404, 503} and set(taken) <= {201, 503}
        # The same customers go on: it is the good answers that end it.
        for kind, service in (("Error", "surveys"), ("Latency", "queue")):
            for pace in ("Fast", "Slowly"):
                await clears(alarm, f"Http{kind}BudgetBurns{pace}", service)
    await scene.caught_up()
