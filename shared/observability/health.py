"""Liveness and readiness: loops that still turn, and checks that say whether work can be done now."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Monotonic = Callable[[], float]
Check = Callable[[], Awaitable[None]]
"""Returns when all is well and raises otherwise."""

CACHE_SECONDS = 1.0
CHECK_LIMIT = 2.0


class Beat:
    """One loop's sign of life; ``limit`` is how many seconds may pass between two turns."""

    def __init__(self, name: str, limit: float, monotonic: Monotonic) -> None:
        self.name = name
        self.limit = limit
        self._monotonic = monotonic
        self.last = monotonic()

    def turn(self) -> None:
        """The loop turned; also called while it waits for a database or for its next work."""
        self.last = self._monotonic()


class Loops(Collector):
    """The loops of this process by name. A loop counts from its registration, so one that never turns is noticed."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beats: dict[str, Beat] = {}

    def register(self, name: str, limit: float = 60.0) -> Beat:
        """Watch the loop ``name``; registering it again starts its count anew."""
        beat = self._beats[name] = Beat(name, limit, self._monotonic)
        return beat

    def forget(self, name: str) -> None:
        """The loop ended on purpose."""
        self._beats.pop(name, None)

    def stalled(self, now: float | None = None, limit: float | None = None) -> list[str]:
        """Names of the loops silent for longer than their limit (or ``limit``) at the monotonic time ``now``."""
        at = self._monotonic() if now is None else now
        beats = list(self._beats.values())
        return sorted(beat.name for beat in beats if at - beat.last > (beat.limit if limit is None else limit))

    def collect(self) -> Iterable[Metric]:
        """For Prometheus: the age of each loop's last turn."""
        ages = GaugeMetricFamily("wangdian_loop_turn_age_seconds", "Since the loop's last turn", labels=["loop"])
        at = self._monotonic()
        for beat in list(self._beats.values()):
            ages.add_metric([beat.name], max(0.0, at - beat.last))
        yield ages


class Readiness:
    """Checks such as "the database answers"; a result holds for a second, however many ask."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._checks: dict[str, Check] = {}
        self._failed: dict[str, str] = {}
        self._at: float | None = None
        self._lock = asyncio.Lock()

    def add(self, name: str, check: Check) -> None:
        """Ask ``check`` too; ``name`` is shown when it fails."""
        self._checks[name] = check
        self._at = None

    async def failed(self) -> dict[str, str]:
        """Failing checks by name with the type of their error (never its message); empty when ready."""
        async with self._lock:
            if self._at is None or self._monotonic() - self._at >= CACHE_SECONDS:
                answers = await asyncio.gather(*(_ask(check) for check in self._checks.values()))
                self._failed = {name: error for name, error in zip(self._checks, answers, strict=True) if error}
                self._at = self._monotonic()
            return dict(self._failed)


async def _ask(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_LIMIT):
            await check()
    except Exception as error:
        return type(error).__name__
    return None
