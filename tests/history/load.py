"""Concurrent clients with keys and retries, and the judgement of what they were told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from wangdian_client.demo import Scenario, TokenFactory, run_demo

from tests.history import checker
from tests.history.operations import read
from tests.history.record import Book, Historian


async def customers(url: str, tokens: TokenFactory, book: Book, *, visits: int, seed: int, **more: Any) -> None:
    """Kiosks, tellers and customers at all branches until everybody is served; each request is written down."""
    mixed = {"care": 0.3, "vip": 0.1, "leave": 0.15, "rate": 0.0, "windows": 3, "concurrency": 6} | more
    await run_demo(url, Scenario(visits=visits, seed=seed, **mixed), tokens, transport=Historian(book))


def head_starts(url: str, token: Callable[[], str]) -> dict[str, float]:
    """The policy in force: seconds by ticket class."""
    reply = httpx.get(f"{url}/queue/v1/classes", headers={"Authorization": f"Bearer {token()}"}, timeout=30)
    return {row["code"]: row["head_start_seconds"] for row in reply.raise_for_status().json()["items"]}


def judge(file: Path, policy: dict[str, float]) -> tuple[list[str], dict[str, int]]:
    """(faults, how much was proven) of a history."""
    with file.open(encoding="utf-8") as lines:
        history = read(lines)
    return checker.faults(history, policy), checker.sizes(history)
