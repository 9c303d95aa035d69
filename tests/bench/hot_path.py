"""Ticket issue and call-next over HTTP, against the same statements by the bare driver and by a bare FastAPI route."""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shared.ids import uuid7
from shared.testing.postgres import new_database, postgres_server
from tests.bench.floor import SqliteHand, Steps, call_next, issue
from tests.bench.hall import CALLS
from tests.bench.rows import Row
from tests.bench.served import CONNECTIONS, SECONDS, Hall, Plan, calls, drive, issues, prepared, served

ROUNDS = 5


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


def _measure(server: str) -> dict[str, float]:
    """Medians over interleaved rounds, each on new copies of the same halls."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        halls = {act: prepared(base / act, server, calls=act == "call") for act in ("issue", "call")}

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
