"""Ticket issue and call-next over HTTP against two floors: bare ``sqlite3``, and a bare FastAPI route over it."""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shared.ids import uuid7
from shared.testing.ports import free_port
from tests.bench.floor import Hand
from tests.bench.hall import CALLS, prepare
from tests.bench.rows import Row

ROUNDS, SECONDS, CONNECTIONS = 5, 2.5, 16

Plan = list[list[dict[str, Any]]]


@contextmanager
def served(which: str, folder: Path) -> Iterator[int]:
    """One of the two applications on a free port."""
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.hall", which, str(folder), str(port)])
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/openapi.json", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield port
    finally:
        child.terminate()
        child.wait(20)


def drive(port: int, plan: Plan) -> float:
    """Requests a second, from a client process of its own; a refused request is a failed bench."""
    command = [sys.executable, "-m", "tests.bench.client", str(port), str(SECONDS)]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    if result["bad"]:
        raise SystemExit(f"the bench was refused: {result['bad']}")
    return float(result["done"] / result["seconds"])


def issues(tokens: dict[str, str], count: int) -> Plan:
    """Ticket issues of one kiosk over all connections."""

    def one() -> dict[str, Any]:
        headers = {"authorization": f"Bearer {tokens['kiosk']}", "idempotency-key": uuid7()}
        body = {"service": "cash", "channel": "kiosk"}
        return {"method": "POST", "path": "/queue/v1/branches/gz-001/tickets", "headers": headers, "body": body}

    return [[one() for _ in range(count)] for _ in range(CONNECTIONS)]


def calls(tokens: dict[str, str]) -> Plan:
    """One call-next of each window; the windows are shared out over the connections."""
    plan: Plan = [[] for _ in range(CONNECTIONS)]
    for no in range(1, CALLS + 1):
        headers = {"authorization": f"Bearer {tokens['manager']}", "idempotency-key": uuid7()}
        path = f"/queue/v1/branches/gz-001/windows/{no}/call-next"
        plan[no % CONNECTIONS].append({"method": "POST", "path": path, "headers": headers, "body": None})
    return plan


def floor_calls() -> Plan:
    """The same of the floor."""
    plan: Plan = [[] for _ in range(CONNECTIONS)]
    for no in range(1, CALLS + 1):
        plan[no % CONNECTIONS].append({"method": "POST", "path": f"/call/{no}", "body": None})
    return plan


def bare(folder: Path, act: Callable[[Hand, int], object]) -> float:
    """Operations a second of the hand-written statements alone."""
    hand = Hand(folder / "queue.sqlite3")
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS / 2:
        act(hand, count)
        count += 1
    rate = count / (time.perf_counter() - start)
    hand.raw.close()
    return rate


def run() -> list[Row]:
    """The rows of the hot path: medians over interleaved rounds, each on new copies of the same hall."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        tokens = {act: asyncio.run(prepare(base / act, calls=act == "call")) for act in ("issue", "call")}

        def fresh(act: str) -> Path:
            folder = base / uuid7()
            shutil.copytree(base / act, folder)
            return folder

        def measured(act: str, what: str, rate: float) -> None:
            found.setdefault(f"{act}/{what}", []).append(rate)

        for _ in range(ROUNDS):
            measured("issue", "bare", bare(fresh("issue"), lambda hand, i: hand.issue(f"b{i}")))
            measured("call", "bare", bare(fresh("call"), lambda hand, i: hand.call_next(f"c{i}", str(i % CALLS + 1))))
            with served("floor", fresh("issue")) as port:
                body = {"service": "cash"}
                plan = [[{"method": "POST", "path": "/issue", "body": body}] * 2000] * CONNECTIONS
                measured("issue", "fastapi", drive(port, plan))
            with served("floor", fresh("call")) as port:
                measured("call", "fastapi", drive(port, floor_calls()))
            with served("product", fresh("issue")) as port:
                measured("issue", "product", drive(port, issues(tokens["issue"], 2000)))
            with served("product", fresh("call")) as port:
                measured("call", "product", drive(port, calls(tokens["call"])))
    best = {key: statistics.median(values) for key, values in found.items()}
    rows = []
    for act, name in (("issue", "ticket issue over HTTP"), ("call", "call-next over HTTP")):
        value = best[f"{act}/product"]
        rows.append(Row(f"{name} / bare sqlite3", value, "1/s", best[f"{act}/bare"], 0.5))
        rows.append(Row(f"{name} / bare FastAPI", value, "1/s", best[f"{act}/fastapi"], 0.7))
    return rows
