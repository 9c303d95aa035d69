"""``make soak``: the memory of every process, idle and under a steady load, and whether it grows.

    python -m tests.bench.soak [SECONDS] [REPORT] [--embedded]

Customers come for ``SECONDS`` (1200) as in the demo; each process's resident memory is looked at every few seconds.
Writes a JSON report (``soak.json``) and a table; exits 1 when a process held more than its bound or grew.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import psutil
from wangdian_client import AsyncWangdian
from wangdian_client.demo import Scenario, run_demo

from services.commands.example_bank import PATIENCE
from services.example_bank import load_bank
from services.registry import SERVICES
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.source import ROOT
from shared.testing.stack.children import Child, answers, stop
from shared.testing.stack.identity import Identity
from shared.testing.stack.stack import READY_IN, Stack

MB: Final = 1e6
IDLE_MB, LOAD_MB = 150.0, 250.0
GROWN_MB: Final = 5.0
"""What a process may hold more at the end of the load than after the first part of it, by the line through the looks:
less than the noise of an allocator in twenty minutes, and 500 MB in a day where it goes on like this."""
WARMING: Final = 0.25
"""The part of the load in which caches and pools fill."""
IDLE_SECONDS, EVERY = 20.0, 3.0
VISITS_PER_SECOND: Final = 4.0
ROUND: Final = 60.0
"""Seconds of one round of customers; the next come at once."""

Token = Callable[[str, str | None, str], str]


@dataclass(frozen=True)
class System:
    """What is under load: where it answers, who signs its tokens, and its processes by name."""

    url: str
    token: Token
    processes: dict[str, int]
    bounds: tuple[float, float]


@dataclass(frozen=True)
class Held:
    """What one process held: megabytes (10^6) at most while idle and under load, and by how much it grew."""

    process: str
    idle_mb: float
    load_mb: float
    grew_mb: float
    looks: int
    good: bool


@contextmanager
def distributed(folder: Path) -> Iterator[System]:
    """A process per service and role on PostgreSQL and Kafka."""
    settings = Settings(data=folder / "data", PORT=free_port())
    with Stack(list(SERVICES), settings, say=_say) as stack:
        ours = {name: child.pid for name, child in stack.children.items() if " " in name}
        yield System(stack.url, stack.token, ours, (IDLE_MB, LOAD_MB))


@contextmanager
def embedded(folder: Path) -> Iterator[System]:
    """All services in one process: it may hold what the four of them may."""
    settings = Settings(data=folder / "data", PORT=free_port())
    settings.data.mkdir(parents=True)
    identity = Identity(settings, folder)
    environment = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python'}",
        "WANGDIAN_DATA": str(settings.data),
        "PORT": str(settings.port),
    }
    child = Child("embedded", [sys.executable, "-m", "services", "run"], folder / "run.log", environment)
    child.start()
    try:
        child.wait_for(lambda: answers(f"{settings.base_url}/readyz"), READY_IN)
        yield System(settings.base_url, identity.token, {"embedded": child.pid}, (2 * IDLE_MB, 2 * LOAD_MB))
    finally:
        stop([child])


class Watch:
    """Looks at the processes again and again; an ended one is an error."""

    def __init__(self, processes: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self.seen: dict[str, list[tuple[float, float]]] = {}

    @asynccontextmanager
    async def during(self) -> AsyncIterator[None]:
        """Look from here to the block's end; what was seen before is forgotten."""
        self.seen = {name: [] for name in self._processes}
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _look(self) -> None:
        while True:
            at = time.monotonic()
            for name, process in self._processes.items():
                self.seen[name].append((at, process.memory_info().rss / MB))
            await asyncio.sleep(EVERY)


def grown(looks: list[tuple[float, float]]) -> float:
    """By how much the line through the looks rises after the warming: the median of the slopes between looks that are
    half of the time apart, so that a peak or a valley does not tilt it."""
    begun = looks[0][0] + WARMING * (looks[-1][0] - looks[0][0])
    kept = [look for look in looks if look[0] >= begun]
    half = len(kept) // 2
    slopes = [
        (late[1] - early[1]) / (late[0] - early[0]) for early, late in zip(kept, kept[half:], strict=False) if half
    ]
    return median(slopes) * (kept[-1][0] - kept[0][0]) if slopes else 0.0


def judged(
    idle: dict[str, list[tuple[float, float]]], load: dict[str, list[tuple[float, float]]], bounds: tuple[float, float]
) -> list[Held]:
    """Each process against its bounds."""
    found = []
    for name, looks in load.items():
        least, most, grew = max(mb for _, mb in idle[name]), max(mb for _, mb in looks), grown(looks)
        good = least <= bounds[0] and most <= bounds[1] and grew <= GROWN_MB
        found.append(Held(name, round(least, 1), round(most, 1), round(grew, 2), len(looks), good))
    return found


async def _customers(system: System, seconds: float) -> dict[str, int]:
    """Customers at a steady rate, round after round; how many came and were served."""
    told, seed, until = {"issued": 0, "served": 0, "rated": 0}, 0, time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        seed += 1
        lasts = min(ROUND, left)
        tally = await run_demo(
            system.url,
            Scenario(
                visits=max(1, round(lasts * VISITS_PER_SECOND)), seed=seed, arrival_seconds=1 / VISITS_PER_SECOND,
                service_seconds=0.5, max_seconds=lasts + ROUND,
            ),
            system.token,
        )  # fmt: skip
        for name in told:
            told[name] += getattr(tally, name)
    return told


async def run(system: System, seconds: float) -> tuple[list[Held], dict[str, int]]:
    """The bank is loaded, rests, and is then busy."""

    def bearer() -> str:
        return system.token("head_office", None, "hq")

    async with AsyncWangdian(system.url, token_provider=bearer, retry=PATIENCE) as client:
        await load_bank(client)
    watch = Watch(system.processes)
    _say(f"resting for {IDLE_SECONDS:g} s")
    async with watch.during():
        await asyncio.sleep(IDLE_SECONDS)
    idle = watch.seen
    _say(f"{VISITS_PER_SECOND:g} customers a second for {seconds:g} s")
    async with watch.during():
        told = await _customers(system, seconds)
    return judged(idle, watch.seen, system.bounds), told


def table(found: list[Held]) -> str:
    """The processes as a Markdown table."""
    lines = ["| process | idle MB | load MB | grew MB | |", "|---|---|---|---|---|"]
    for each in found:
        verdict = "" if each.good else "**missed**"
        lines.append(f"| {each.process} | {each.idle_mb:.0f} | {each.load_mb:.0f} | {each.grew_mb:+.1f} | {verdict} |")
    return "\n".join(lines)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it and judge."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    seconds = float(words[0]) if words else 1200.0
    report = Path(words[1] if len(words) > 1 else "soak.json")
    start = embedded if "--embedded" in sys.argv else distributed
    with tempfile.TemporaryDirectory(prefix="wangdian-soak-") as folder, start(Path(folder)) as system:
        found, told = asyncio.run(run(system, seconds))
        bounds = system.bounds
    _say(table(found))
    good = all(each.good for each in found) and told["issued"] > 0
    about = {"seconds": seconds, "customers": told, "good": good}
    limits = {"idle_mb": bounds[0], "load_mb": bounds[1], "grown_mb": GROWN_MB}
    document = about | {"limits": limits, "processes": [asdict(each) for each in found]}
    report.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _say(f"{told['issued']} customers, {told['served']} served; {'good' if good else 'NOT GOOD'}; {report}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
