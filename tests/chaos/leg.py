"""One leg: a new distributed system, some kills under load, and a report of what came of it."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from wangdian_client import Busy, Unreachable
from wangdian_client.demo import NothingOpen, Scenario, run_demo

from services.registry import SERVICES
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.stack.stack import Stack
from tests.chaos import outside
from tests.chaos.flow import CALM, is_calm
from tests.chaos.places import Places, place_of
from tests.chaos.recorder import Recorder, repeat_unanswered, replies_kept
from tests.faults.rig import load
from tests.history.load import head_starts, judge
from tests.history.record import Book, Historian

SETTLED_IN = 120.0


async def customers(stack: Stack, recorder: Recorder, seed: int, visits: int) -> None:
    """Customers, kiosks and tellers, who go on whatever happens until all are served."""
    scenario = Scenario(
        visits=visits, seed=seed, concurrency=4, windows=3, invitation_seconds=10.0, arrival_seconds=0.1,
        service_seconds=0.05, care=0.3, leave=0.15, max_seconds=86_400.0,
    )  # fmt: skip
    await run_demo(stack.url, scenario, stack.token, transport=recorder.again())


async def under_load(places: Places, kills: int, recorder: Recorder) -> None:
    """Kill while customers come; a fault of theirs ends the leg."""

    async def come() -> None:
        day = 0
        while True:
            day += 1
            with suppress(NothingOpen, Unreachable, Busy):
                await customers(places.stack, recorder, day, 20_000)

    coming = asyncio.create_task(come())
    playing = asyncio.create_task(asyncio.to_thread(places.play, kills))
    try:
        await asyncio.wait({coming, playing}, return_when=asyncio.FIRST_COMPLETED)
        assert not coming.done(), coming.exception()
        await playing
    finally:
        places.abandoned.set()
        coming.cancel()
        await asyncio.gather(coming, playing, return_exceptions=True)


async def settle(stack: Stack) -> None:
    """Wait until nothing is on its way any more."""
    until, calm = time.monotonic() + SETTLED_IN, 0
    while calm < CALM:
        flow = await outside.flows(stack)
        calm = calm + 1 if len(flow) == len(SERVICES) and is_calm(flow) else 0
        if time.monotonic() > until:
            raise TimeoutError(flow)
        await asyncio.sleep(0.5)


async def play(folder: Path, seed: int, kills: int) -> dict[str, Any]:
    """The report of a leg; ``lost``, ``doubled`` and ``wrong`` are empty when all is well."""
    begun = time.monotonic()
    settings = Settings(data=folder / "data", PORT=free_port())
    opening = Stack(list(SERVICES), settings, say=lambda _: None, scraped=False)
    stack = await asyncio.to_thread(opening.__enter__)
    try:
        await load(stack)
        await settle(stack)
        return await _killed(stack, folder, seed, kills, begun)
    finally:
        await asyncio.to_thread(stack.close)


async def _killed(stack: Stack, folder: Path, seed: int, kills: int, begun: float) -> dict[str, Any]:
    policy = head_starts(stack.url, lambda: stack.token("head_office"))
    places = Places(stack, seed)
    with Book(folder / "history.jsonl") as book:
        recorder = Recorder(lambda: Historian(book))
        killing = time.monotonic()
        await under_load(places, kills, recorder)
        killed = time.monotonic() - killing
        cut_off = await repeat_unanswered(stack.url, recorder)
        await customers(stack, recorder, 0, 20)
    await settle(stack)
    lost = await replies_kept(stack.url, recorder)
    await settle(stack)
    found = await outside.told(stack)
    missing, doubled = await outside.compare(stack, recorder.acknowledged, found)
    faults, proven = judge(folder / "history.jsonl", policy)
    by_place: Counter[str] = Counter()
    for name, count in places.kills.items():
        by_place[place_of(name)] += count
    return {
        "seed": seed,
        "kills": sum(places.kills.values()),
        "kills_by_place": dict(by_place.most_common()),
        "kills_by_process": dict(places.kills.most_common()),
        "seconds": round(time.monotonic() - begun),
        "seconds_of_kills": round(killed),
        "writes": len(recorder.acknowledged),
        "acknowledged_after_repetition": sum(write.attempts > 1 for write in recorder.acknowledged),
        "cut_off": cut_off,
        "visits": proven["tickets"],
        "events": sum(map(len, found.events.values())),
        "told_again": found.again,
        "history": proven,
        "lost": lost + missing,
        "doubled": doubled,
        "wrong": found.wrong + faults + await outside.audits(stack),
    }
