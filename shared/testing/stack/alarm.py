"""A second Prometheus beside a running stack, with the committed rules at a faster pace: what fires, and clears."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from shared.testing.ports import free_port
from shared.testing.stack.children import answers, stop
from shared.testing.stack.pace import write_faster
from shared.testing.stack.servers import prometheus
from shared.testing.stack.stack import READY_IN, Stack

POLL = 0.25
PATIENCE = 150.0
"""Seconds: an alert that looks at a minute, and waits for half of one, on a busy machine."""


class Alarm:
    """Watches ``stack`` within the block; windows and waits of the rules are ``times`` as short as deployed."""

    def __init__(self, stack: Stack, folder: Path, times: int) -> None:
        rules = folder / "rules"
        write_faster(rules, times)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._server = prometheus(folder, port, stack.targets, folder / "prometheus.log", every="2s", rules=rules)

    def __enter__(self) -> Self:
        self._server.start()
        self._server.wait_for(lambda: answers(f"{self.url}/-/ready"), READY_IN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stop([self._server])

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers to a query."""
        reply = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert reply["status"] == "success", (expression, reply)
        found: list[dict[str, Any]] = reply["data"]["result"]
        return found

    def firing(self) -> set[tuple[str, str]]:
        """Alerts that fire now, each with the service it is about."""
        found = [one["metric"] for one in self.ask('ALERTS{alertstate="firing"}')]
        return {(labels["alertname"], labels.get("service") or labels.get("app", "")) for labels in found}

    def fires(self, name: str, service: str, within: float = PATIENCE) -> None:
        """Wait until the alert fires."""
        self._until(lambda: (name, service) in self.firing(), f"{name} of {service} does not fire", within)

    def clears(self, name: str, service: str, within: float = PATIENCE) -> None:
        """Wait until it fires no more."""
        self._until(lambda: (name, service) not in self.firing(), f"{name} of {service} does not clear", within)

    def _until(self, check: Callable[[], bool], what: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not check():
            assert time.monotonic() < deadline, f"{what}; firing: {sorted(self.firing())}"
            time.sleep(POLL)
