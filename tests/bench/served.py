"""The hall's applications as processes, and the load that a client process puts on them."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from services.queue.spec import SPEC
from shared.db.migrate import migrate_postgres
from shared.ids import uuid7
from shared.testing.ports import free_port
from shared.testing.postgres import new_database
from tests.bench.hall import CALLS, prepare

SECONDS, CONNECTIONS = 2.5, 16

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


def load(port: int, plan: Plan) -> dict[str, Any]:
    """What became of the requests, sent by a client process; a refused request is a failed bench."""
    command = [sys.executable, "-m", "tests.bench.client", str(port), str(SECONDS)]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    if result["bad"]:
        raise SystemExit(f"the bench was refused: {result['bad']}")
    return dict(result)


def drive(port: int, plan: Plan) -> float:
    """Requests a second."""
    result = load(port, plan)
    return float(result["done"] / result["seconds"])


def issues(tokens: dict[str, str], count: int, connections: int = CONNECTIONS) -> Plan:
    """``count`` ticket issues of each connection."""

    def one() -> dict[str, Any]:
        headers = {"authorization": f"Bearer {tokens['kiosk']}", "idempotency-key": uuid7()}
        body = {"service": "cash", "channel": "kiosk"}
        return {"method": "POST", "path": "/queue/v1/branches/gz-001/tickets", "headers": headers, "body": body}

    return [[one() for _ in range(count)] for _ in range(connections)]


def calls(tokens: dict[str, str], connections: int = CONNECTIONS) -> Plan:
    """One call-next of each window; the windows are shared out over the connections."""
    plan: Plan = [[] for _ in range(connections)]
    for no in range(1, CALLS + 1):
        headers = {"authorization": f"Bearer {tokens['manager']}", "idempotency-key": uuid7()}
        path = f"/queue/v1/branches/gz-001/windows/{no}/call-next"
        plan[no % connections].append({"method": "POST", "path": path, "headers": headers, "body": None})
    return plan


def prepared(base: Path, server: str, *, calls: bool) -> tuple[Hall, dict[str, str]]:
    """The hall from which each round has a copy."""

    async def making() -> tuple[Hall, dict[str, str]]:
        url = ""
        if server:
            url = await new_database(server)
            await migrate_postgres(url, SPEC.migrations)
        return Hall(base, url), await prepare(base, url, calls=calls)

    return asyncio.run(making())
