"""Kills on the distributed system: any process, at moments that a seed has chosen, each started again by itself."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from shared.testing.stack.stack import Stack

BETWEEN = (0.2, 2.4)
"""Seconds from one kill to the next."""
GONE = (0.0, 1.5)
"""Seconds until who runs it starts a killed process again."""
LOOK = 0.05


def place_of(name: str) -> str:
    """What kind of process it is."""
    return {"serve": "api", "work": "worker"}.get(name.partition(" ")[2], {"kafka": "broker"}.get(name, "database"))


@dataclass
class Places:
    """Kills by place. The plan is the seed's: each process comes once before any comes again, and one that is down when
    its turn comes is passed over."""

    stack: Stack
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    abandoned: threading.Event = field(default_factory=threading.Event)
    _due: dict[str, float] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Whatever may be killed: the APIs and workers, the broker and the database."""
        services = sorted(name for name in self.stack.children if name.endswith((" serve", " work")))
        return [*services, "kafka", "postgres"]

    def play(self, kills: int) -> None:
        """Kill as often; then everything is started that is not running."""
        chance = Random(self.seed)
        deck: list[str] = []
        while sum(self.kills.values()) < kills and not self.abandoned.is_set():
            deck = deck or chance.sample(self.names, len(self.names))
            until = time.monotonic() + chance.uniform(*BETWEEN)
            name, gone = deck.pop(), chance.uniform(*GONE)
            while self._alive(name) and time.monotonic() < until:
                self._look_after()
                time.sleep(LOOK)
            if self._alive(name):
                self.stack.kill(name)
                self.kills[name] += 1
                self._due[name] = time.monotonic() + gone
        self.heal()

    def heal(self) -> None:
        """Start what does not run, and wait until all are ready."""
        until = time.monotonic() + 120
        while True:
            self._due.clear()
            self._look_after()
            if all(self._alive(name) for name in self.names) and self._ready():
                return
            if time.monotonic() > until:
                raise TimeoutError({name: self._alive(name) for name in self.names})
            time.sleep(0.5)

    def _ready(self) -> bool:
        try:
            for name in self.stack.children:
                self.stack.wait(name)
        except Exception:
            return False  # ended at its start, as the database was not there yet
        return True

    def _look_after(self) -> None:
        for name in self.names:
            if not self._alive(name) and self._due.get(name, 0.0) <= time.monotonic():
                # One that ends at its start is tried again, not at once.
                self._due[name] = time.monotonic() + 1.0
                self._launch(name)

    def _alive(self, name: str) -> bool:
        if name == "kafka":
            return self.stack.kafka is not None and self.stack.kafka.node.alive
        return self.stack.children[name].alive

    def _launch(self, name: str) -> None:
        if name == "kafka":
            assert self.stack.kafka is not None
            self.stack.kafka.node.launch()
        else:
            self.stack.children[name].start()
