"""Ticket issue and call-next over HTTP, against the same statements by the bare driver and by a bare FastAPI route."""

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
from typing import Any, NamedTuple

import httpx

from services.queue.spec import SPEC
from shared.db.migrate import migrate_postgres
from shared.ids import uuid7
from shared.testing.ports import free_port
from shared.testing.postgres import new_database, postgres_server
from tests.bench.floor import SqliteHand, Steps, call_next, issue
from tests.bench.hall import CALLS, prepare
from tests.bench.rows import Row

ROUNDS, SECONDS, CONNECTIONS = 5, 2.5, 16

Plan = list[list[dict[str, Any]]]


class Hall(NamedTuple):
    """Where a branch is kept: keys and perhaps its database in a folder, else the database by URL."""

    folder: Path
    url: str


@contextmanager
def served(which: str, hall: Hall) -> Iterator[int]:
    """One of the two applications on a free port."""
    port = free_port()
    given = [which, str(hall.folder), str(port), *([hall.url] if hall.url else [])]
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.hall", *given])
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


def bare(hall: Hall, act: Callable[[int], Steps]) -> float:
    """Operations a second of the hand-written statements alone."""
    hand = SqliteHand(hall.folder / "queue.sqlite3")
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS / 2:
        hand.do(act(count))
        count += 1
    rate = count / (time.perf_counter() - start)
    hand.raw.close()
    return rate


def _prepared(base: Path, server: str, *, calls: bool) -> tuple[Hall, dict[str, str]]:
    """The hall from which each round has a copy."""

    async def prepared() -> tuple[Hall, dict[str, str]]:
        url = ""
        if server:
            url = await new_database(server)
            await migrate_postgres(url, SPEC.migrations)
        return Hall(base, url), await prepare(base, url, calls=calls)

    return asyncio.run(prepared())


def _measure(server: str) -> dict[str, float]:
    """Medians over interleaved rounds, each on new copies of the same halls."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        halls = {act: _prepared(base / act, server, calls=act == "call") for act in ("issue", "call")}

        def fresh(act: str) -> Hall:
            hall = halls[act][0]
            folder = base / uuid7()
            shutil.copytree(hall.folder, folder)
            return Hall(folder, asyncio.run(new_database(server, hall.url)) if hall.url else "")

        def measured(act: str, what: str, rate: float) -> None:
            found.setdefault(f"{act}/{what}", []).append(rate)

        body = {"service": "cash"}
        floor_issues = [[{"method": "POST", "path": "/issue", "body": body}] * 2000] * CONNECTIONS
        for _ in range(ROUNDS):
            if not server:
                measured("issue", "bare", bare(fresh("issue"), lambda i: issue(f"b{i}")))
                measured("call", "bare", bare(fresh("call"), lambda i: call_next(f"c{i}", str(i % CALLS + 1))))
            with served("floor", fresh("issue")) as port:
                measured("issue", "fastapi", drive(port, floor_issues))
            with served("floor", fresh("call")) as port:
                measured("call", "fastapi", drive(port, floor_calls()))
            with served("product", fresh("issue")) as port:
                measured("issue", "product", drive(port, issues(halls["issue"][1], 2000)))
            with served("product", fresh("call")) as port:
                measured("call", "product", drive(port, calls(halls["call"][1])))
    return {key: statistics.median(values) for key, values in found.items()}


ACTS = (("issue", "ticket issue over HTTP"), ("call", "call-next over HTTP"))


def run() -> list[Row]:
    """The rows of the hot path on both databases."""
    best = _measure("")
    rows = []
    for act, name in ACTS:
        value = best[f"{act}/product"]
        rows.append(Row(f"{name} / bare sqlite3", value, "1/s", best[f"{act}/bare"], 0.5))
        rows.append(Row(f"{name} / bare FastAPI and sqlite3", value, "1/s", best[f"{act}/fastapi"], 0.7))
    with postgres_server() as server:
        best = _measure(server)
    for act, name in ACTS:
        value, floor = best[f"{act}/product"], best[f"{act}/fastapi"]
        rows.append(Row(f"{name} / bare FastAPI and asyncpg", value, "1/s", floor, 0.75))
    return rows
