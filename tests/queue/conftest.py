"""A queue service alone, with a small bank in its replica, a catalogue, classes and windows."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.queue.catalogue import service as catalogue
from services.queue.catalogue.schemas import ClassDefinition, ServiceDefinition
from services.queue.spec import SPEC
from services.queue.windows import service as windows
from services.queue.windows.schemas import WindowSetUp
from shared.clock import FixedClock
from shared.db.tables import KIT, outbox
from shared.db.uow import Uow
from shared.testing.bank import LONG_AGO, SMALL_BANK, learn, person, qualification, unit
from shared.testing.postgres import postgres_for
from shared.testing.system import MORNING, System, system

BANK = (
    *SMALL_BANK,
    unit("be-001", "hq", "/hq/be-001/", zone="Europe/Berlin", cutoff="02:00"),
    unit("sj-001", "hq", "/hq/sj-001/", zone="America/St_Johns", cutoff="02:00"),
    unit("night-001", "hq", "/hq/night-001/", cutoff="02:00"),
    person("M0002", "gz-001", "branch_manager"),
    qualification("T0001", "fxdesk"),
)
BRANCHES = ("gz-001", "gz-002", "bj-001", "be-001", "sj-001", "night-001")
SERVICES = {"cash": ("A", "counter"), "wealth": ("B", "wealth"), "fx": ("C", "fxdesk"), "info": ("D", None)}
CLASSES = {"ordinary": 0, "care": 300, "vip": 600}


def definition(prefix: str = "K", qualification: str | None = None, **changes: Any) -> dict[str, Any]:
    """A complete definition of a service."""
    names = {"zh": "业务", "en": "Service"}
    return {
        "names": names,
        "prefix": prefix,
        "required_qualification": qualification,
        "expected_minutes": 10,
        "materials": [{"code": "id_card", "names": names, "kind": "required", "form": "original"}],
        "steps": [{"code": "identify", "names": names}],
    } | changes


async def furnish(uow: Uow) -> None:
    """Catalogue, classes and eight windows a branch."""
    for code, (prefix, needed) in SERVICES.items():
        await catalogue.define_service(uow, code, ServiceDefinition(**definition(prefix, needed)), None)
    for code, seconds in CLASSES.items():
        names = {"zh": code, "en": code}
        await catalogue.define_class(
            uow,
            code,
            ClassDefinition(names=names, head_start_seconds=seconds, evidence="none", effective_from=LONG_AGO),
        )
    for branch in BRANCHES:
        for code in SERVICES:
            await catalogue.offer(uow, branch, code, offered=True)
        for no in range(1, 9):
            await windows.set_up(uow, branch, str(no), WindowSetUp())


class Hall:
    """The running service, spoken to as kiosks, tellers and managers do; ``unit`` is the branch meant by default."""

    def __init__(self, running: System, unit: str = "gz-001") -> None:
        self.running, self.unit = running, unit
        self.clock: FixedClock = running.clock  # type: ignore[assignment]
        self.db = running.runtime("queue").db

    def at(self, unit: str) -> "Hall":
        """The same service seen from another branch."""
        return Hall(self.running, unit)

    def tick(self, seconds: float = 1) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    async def send(
        self,
        method: str,
        path: str,
        role: str = "teller",
        *,
        staff: str | None = None,
        units: tuple[str, ...] | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        expect: int | None = 200,
        **request: Any,
    ) -> httpx.Response:
        """Call ``/queue/v1{path}``; ``expect`` asserts the status."""
        sent = self.running.headers(role, staff=staff, units=units or (self.unit,), key=key) | (headers or {})
        answer = await self.running.client.request(method, f"/queue/v1{path}", headers=sent, **request)
        if expect is not None and answer.status_code != expect:
            raise AssertionError(f"{method} {path}: {answer.status_code}, not {expect}: {answer.text}")
        return answer

    async def issue(self, service: str = "cash", cls: str = "ordinary", **more: Any) -> dict[str, Any]:
        """Take a ticket."""
        body = {"service": service, "channel": "kiosk", "class": cls} | more
        answer = await self.send("POST", f"/branches/{self.unit}/tickets", "kiosk", json=body, expect=201)
        return answer.json()

    async def window(self, no: int, act: str, staff: str = "T0001", **more: Any) -> httpx.Response:
        """Open, break, resume, close or call-next."""
        return await self.send("POST", f"/branches/{self.unit}/windows/{no}/{act}", staff=staff, **more)

    async def open(self, no: int, staff: str, *services: str, **more: Any) -> httpx.Response:
        """Open a window for some services."""
        return await self.window(no, "open", staff, json={"services": services} if services else {}, **more)

    async def call(self, no: int, staff: str = "T0001") -> dict[str, Any] | None:
        """Call next; None for nobody."""
        answer = await self.window(no, "call-next", staff, expect=None)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.status_code == 200 else None

    async def act(self, visit: str, verb: str, staff: str = "T0001", **more: Any) -> httpx.Response:
        """Recall, start, finish, no-show, leave."""
        return await self.send("POST", f"/visits/{visit}/{verb}", staff=staff, **more)

    async def visit(self, visit: str) -> dict[str, Any]:
        """The visit as it stands."""
        return (await self.send("GET", f"/visits/{visit}")).json()

    async def rows(self, statement: Any, **params: Any) -> list[Any]:
        """Stored rows."""
        return await self.db.read(lambda reads: reads.all(statement, **params))

    async def told(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What was told since the furnishing, oldest first; ``kind`` is an event type without its version."""
        found = await self.rows(_OUTBOX)
        every = [
            {"type": row.headers["ce_type"], "subject": row.subject, "sequence": int(row.headers["ce_sequence"])}
            | {"data": json.loads(bytes(row.payload))}
            for row in found
        ]
        return [event for event in every if kind is None or event["type"].rsplit(".", 1)[0] == kind]

    async def audited(self) -> list[Any]:
        """The audit log's rows, oldest first."""
        return await self.rows(_AUDIT)


_OUTBOX = sa.select(outbox.c.subject, outbox.c.headers, outbox.c.payload).order_by(outbox.c.seq)
_AUDIT = sa.select(KIT.tables["audit_row"]).order_by(KIT.tables["audit_row"].c.seq)


@asynccontextmanager
async def furnished(folder: Path, server: str | None) -> AsyncIterator[Hall]:
    """A furnished hall on SQLite in ``folder``, or on a new database of a PostgreSQL ``server``."""
    clock = FixedClock(MORNING)
    given: Callable[..., Awaitable[Any]] | None = None
    if server is not None:

        async def given(spec: Any, context: Any) -> Any:
            return await postgres_for(server, spec, clock, context)

    async with system([SPEC], folder, clock=clock, database=given) as running:
        db = running.runtime("queue").db
        await learn(db, *BANK)
        await db.write(furnish, actor="test")
        yield Hall(running)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """A furnished hall on SQLite."""
    async with furnished(tmp_path, None) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> str | None:
    """The server of each database; asked for outside of any event loop, as its start runs one."""
    return request.getfixturevalue("postgres") if request.param == "postgres" else None


@pytest.fixture
async def either_hall(server: str | None, tmp_path: Path) -> AsyncIterator[Hall]:
    """A furnished hall on each database."""
    async with furnished(tmp_path, server) as made:
        yield made
