"""The demo as one call."""

import asyncio
import time
from collections.abc import Callable
from math import inf

import httpx

from wangdian_client.client import AsyncWangdian
from wangdian_client.demo.actors import Stage, let_in, staff_window
from wangdian_client.demo.bank import Identities, Seat, TokenFactory, seat_tellers
from wangdian_client.demo.journal import Journal
from wangdian_client.demo.scenario import Scenario, plan
from wangdian_client.demo.tally import Tally
from wangdian_client.exchange import Acknowledged
from wangdian_client.retry import Retry

_FIRST_ANSWER_SECONDS = 30.0


async def run_demo(
    base_url: str,
    scenario: Scenario,
    tokens: TokenFactory,
    *,
    journal: Journal | None = None,
    progress: Callable[[Tally], object] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Tally:
    """Let the customers of a scenario come to the running system, and return what happened.

    A server that dies meanwhile is waited for, up to `max_seconds`: every write is repeated under its key until it is
    confirmed. `journal` gets each confirmed write, `progress` the tally after each. Raises `Unreachable` if there is no
    server at all, `NothingOpen` if no window could be opened, and the first `Problem` that is no ordinary conflict.
    """
    tally = Tally()

    def confirmed(write: Acknowledged) -> None:
        tally.count(write)
        if journal is not None:
            journal.record(write)
        if progress is not None:
            progress(tally)

    begun = time.monotonic()
    async with AsyncWangdian(base_url, on_acknowledged=confirmed, transport=transport) as client:
        try:
            async with asyncio.timeout(scenario.max_seconds):
                await _play(client, scenario, tokens, tally)
                tally.complete = True
        except TimeoutError:
            pass
        except ExceptionGroup as group:
            raise _first(group) from group
    tally.seconds = time.monotonic() - begun
    return tally


async def _play(client: AsyncWangdian, scenario: Scenario, tokens: TokenFactory, tally: Tally) -> None:
    seats = await seat_tellers(Identities(client, tokens, _patience(_FIRST_ANSWER_SECONDS)), scenario)
    identities = Identities(client, tokens, _patience(inf))
    courses = iter(plan(scenario, _offered(seats)))
    async with asyncio.TaskGroup() as tasks:
        stage = Stage(scenario, identities, tally, tasks)
        for seat in seats:
            tasks.create_task(staff_window(stage, seat))
        async with asyncio.TaskGroup() as kiosks:
            for number in range(scenario.concurrency):
                kiosks.create_task(let_in(stage, courses, number))
        stage.doors_closed.set()


def _patience(seconds: float) -> Retry:
    return Retry(attempts=1_000_000, base=0.1, cap=1.0, total=seconds)


def _offered(seats: list[Seat]) -> dict[str, set[str]]:
    """By branch, the services some open window takes: no customer waits for what nobody there can do."""
    offered: dict[str, set[str]] = {}
    for seat in seats:
        offered.setdefault(seat.unit, set()).update(seat.services)
    return offered


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
