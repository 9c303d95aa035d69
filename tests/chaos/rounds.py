"""The rounds: a running system is killed at a step that chance has chosen, and started again on the same folder."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from shared.testing.process import Died, RunningSystem

ANY_MOMENT = "any moment"
POINTS = {
    "write:before-commit": 20,
    "write:after-commit": 20,
    "batch:between-units": 6,
    "batch:before-commit": 80,
    "batch:after-commit": 80,
    "relay:before-send": 10,
    "relay:after-send": 10,
    "relay:inside-mark": 10,
    "relay:after-mark": 10,
    "bus:inside-append": 10,
    "consumer:inside-batch": 12,
    "consumer:after-commit": 12,
    "seal:before-commit": 2,
}
"""Crash point -> the latest of its passings that is chosen."""
PATIENCE = 4.0
"""Seconds in which a chosen point has to be passed; then the process is killed where it is."""
LATEST = 2.5


@dataclass
class Rounds:
    """What was done: kills by point, and how long each start took."""

    system: RunningSystem
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    while_starting: int = 0
    abandoned: threading.Event = field(default_factory=threading.Event)

    def play(self, rounds: int) -> None:
        """Kill and start ``rounds`` times; each point comes once before any comes again."""
        chance = Random(self.seed)
        deck = self._deck(chance)
        for _ in range(rounds):
            if self.abandoned.is_set():
                return
            point = next(deck)
            self._round(point, chance.randint(1, POINTS.get(point, 1)), chance.uniform(0, LATEST))
        # Chance may have asked for a passing that a slow machine never came to.
        for point in POINTS:
            for _ in range(5):
                if not self.kills[point] and rounds >= len(POINTS) and not self.abandoned.is_set():
                    self._round(point, 1, PATIENCE)

    @staticmethod
    def _deck(chance: Random) -> Iterator[str]:
        while True:
            cards = [*POINTS, ANY_MOMENT, ANY_MOMENT]
            chance.shuffle(cards)
            yield from cards

    def _round(self, point: str, passing: int, moment: float) -> None:
        self.system.start("" if point == ANY_MOMENT else f"{point}#{passing}")
        begun = time.monotonic()
        if point == ANY_MOMENT:
            self.system.wait_dead(moment)
            self.while_starting += self.system.answer("/livez") is None
        else:
            try:
                self.starts.append(self.system.wait_ready())
            except Died:
                self.while_starting += 1
            self.system.wait_dead(max(0.0, PATIENCE - (time.monotonic() - begun)))
        died_by_itself = not self.system.alive
        self.system.kill()
        self.kills[point if died_by_itself else ANY_MOMENT] += 1
