"""The event loop: how long it was blocked, measured as the lateness of a short sleep."""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Gauge

INTERVAL = 0.025
"""Seconds between two looks; a block is seen shorter than it was by at most this."""
TOO_LONG = 0.1
"""Seconds; nothing may keep the loop longer (statistics, documents and workbooks belong in a process pool)."""
SPAN = 30.0
"""The maximum shown covers the last one to two of these, so that every scrape sees it."""


class LoopWatch:
    """Watches the loop it runs on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._blocked = Counter(
            "wangdian_loop_blocked", f"Times that the event loop was blocked over {TOO_LONG:g} s", registry=registry
        )
        worst = Gauge(
            "wangdian_loop_blocked_seconds", "Longest block of the event loop in the last minute", registry=registry
        )
        worst.set_function(self.worst)
        self._before = self._now = 0.0
        self._turned = time.monotonic()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            due = time.monotonic() + INTERVAL
            await asyncio.sleep(INTERVAL)
            self.late(time.monotonic() - due)

    def late(self, seconds: float) -> None:
        """Record that a sleep ended ``seconds`` late."""
        self._turn(time.monotonic())
        self._now = max(self._now, seconds)
        if seconds > TOO_LONG:
            self._blocked.inc()

    def worst(self) -> float:
        """The longest block of the last one to two spans, in seconds."""
        return max(self._before, self._now)

    def _turn(self, now: float) -> None:
        if now - self._turned >= SPAN:
            self._before = self._now if now - self._turned < 2 * SPAN else 0.0
            self._now, self._turned = 0.0, now
