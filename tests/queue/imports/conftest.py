"""The queue service alone with a small bank, and a branch's history to upload."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.queue.spec import SPEC
from services.queue.tickets.models import Visit
from shared.clock import FixedClock
from shared.db.statements import table
from shared.db.tables import outbox
from shared.testing.bank import SMALL_BANK, learn
from shared.testing.system import System, system

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PATH = "/queue/v1/imports"
VISITS = sa.select(table(Visit)).order_by(table(Visit).c.number)
TOLD = sa.select(outbox.c.subject, outbox.c.headers, outbox.c.payload).order_by(outbox.c.seq)


def line(key: str, *, wait: int = 60, service: str = "PS", day: str = "2026-03-02", outcome: str = "served") -> str:
    """A line of ``canonical-csv`` in the order of its columns."""
    over = f"{day}T09:{wait // 60:02d}:{wait % 60:02d}+08:00"
    called, left = (over, "") if outcome == "served" else ("", over)
    return f"{key},{day},{service},ordinary,kiosk,{outcome},{day}T09:00:00+08:00,{called},,,{left},,TOVA,3"


def file(count: int, *, first: int = 0, **changes: Any) -> bytes:
    """A CSV file of ``count`` visits."""
    return "".join(f"{line(f'k{i}', **changes)}\n" for i in range(first, first + count)).encode()


class Importing:
    """A running queue service and what callers of imports do."""

    def __init__(self, running: System) -> None:
        self.running, self.client, self.call = running, running.client, running.call
        self.runtime = running.runtime("queue")

    async def send(self, content: bytes, format_: str = "csv", unit: str = "gz-001", **options: Any) -> httpx.Response:
        """Upload, as integration unless told otherwise."""
        parts = {"data": {"format": format_, "unit": unit}, "files": {"file": ("history", content)}}
        headers = self.running.headers(options.pop("role", "integration"), **options)
        return await self.client.post(PATH, headers=headers, **parts)

    async def turn(self) -> int:
        """One turn of the importing loop."""
        return await self.runtime._turns["imports"]()

    async def report(self, location: str) -> dict[str, Any]:
        """How far an import is."""
        return (await self.call("GET", location, "head_office", expect=200)).json()

    async def done(self, content: bytes, format_: str = "csv", unit: str = "gz-001") -> dict[str, Any]:
        """Upload and import; the report at the end."""
        sent = await self.send(content, format_, unit)
        assert sent.status_code == 202, sent.text
        while await self.turn():
            pass
        return await self.report(sent.headers["location"])

    async def rows(self, statement: Any = VISITS) -> list[Any]:
        """Stored rows."""
        return await self.runtime.db.read(lambda reads: reads.all(statement))


@asynccontextmanager
async def importing(folder: Path, **parts: Any) -> AsyncIterator[Importing]:
    """The service on ``folder``; it may be the folder of one that was killed."""
    async with system([SPEC], folder, clock=FixedClock(NOW), **parts) as running:
        service = Importing(running)
        await learn(service.runtime.db, *SMALL_BANK)
        yield service


@pytest.fixture
async def imports(tmp_path: Path) -> AsyncIterator[Importing]:
    async with importing(tmp_path) as service:
        yield service


def packed(content: bytes) -> bytes:
    """The same as gzip."""
    return gzip.compress(content, mtime=0)
