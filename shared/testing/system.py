"""A whole system in a folder, with its clock and its loops in the test's hands."""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from shared.app import Parts, build_app
from shared.bus.base import Bus
from shared.clock import Clock, FixedClock
from shared.db.database import Database
from shared.db.migrate import migrate_sqlite
from shared.db.uow import UnitContext
from shared.ids import uuid7
from shared.runtime import ServiceRuntime
from shared.settings import Settings
from shared.spec import ServiceSpec

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday, 09:00 in Shanghai."""


@dataclass
class System:
    """A running application, reached over ASGI."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: Clock

    def token(
        self, role: str, *, staff: str | None = None, units: Sequence[str] = ("hq",), sub: str | None = None
    ) -> str:
        """A bearer token of the development issuer."""
        subject = sub or staff or f"{role}-1"
        return str(self.app.state.issuer.issue(role, sub=subject, staff_id=staff, units=list(units)))

    def headers(
        self, role: str, *, staff: str | None = None, units: Sequence[str] = ("hq",), key: str | None = None
    ) -> dict[str, str]:
        """Request headers of a caller, with a new idempotency key unless one is given."""
        return {
            "authorization": f"Bearer {self.token(role, staff=staff, units=units)}",
            "idempotency-key": key or uuid7(),
            "accept-language": "en",
        }

    async def call(
        self,
        method: str,
        path: str,
        role: str,
        *,
        staff: str | None = None,
        units: Sequence[str] = ("hq",),
        expect: int | None = None,
        **request: Any,
    ) -> httpx.Response:
        """Call as ``role``; ``expect`` asserts the status and shows the body when it differs."""
        answer = await self.client.request(
            method, path, headers=self.headers(role, staff=staff, units=units), **request
        )
        if expect is not None and answer.status_code != expect:
            raise AssertionError(f"{method} {path}: {answer.status_code}, not {expect}: {answer.text}")
        return answer

    def runtime(self, service: str) -> ServiceRuntime:
        """A service's runtime."""
        return self.app.state.services[service]

    async def settle(self) -> None:
        """Let every event have its effect."""
        while sum([await runtime.settle() for runtime in self.app.state.services.values()]):
            pass


_TEMPLATES = Path(tempfile.mkdtemp(prefix="wangdian-templates-"))
atexit.register(shutil.rmtree, _TEMPLATES, ignore_errors=True)


def _place_migrated(spec: ServiceSpec, folder: Path) -> None:
    """A migrated, empty file for a new system: migrating once a session and copying saves most of a test's time."""
    target = folder / f"{spec.name}.sqlite3"
    if target.exists():
        return
    template = _TEMPLATES / f"{spec.migrations}.sqlite3"
    if not template.exists():
        migrate_sqlite(template, spec.migrations)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, target)


@asynccontextmanager
async def system(
    specs: Sequence[ServiceSpec],
    folder: Path,
    *,
    clock: Clock | None = None,
    loops: bool = False,
    bus: Bus | None = None,
    database: Callable[[ServiceSpec, UnitContext], Awaitable[Database]] | None = None,
    **settings: Any,
) -> AsyncIterator[System]:
    """The services of ``specs`` on ``folder``; background loops only if asked for, else :meth:`System.settle`."""
    clock = clock or FixedClock(MORNING)
    given = Settings(data=folder, **settings)
    if database is None:
        for spec in specs:
            _place_migrated(spec, folder)
    app = build_app(specs, given, Parts(clock=clock, bus=bus, start_loops=loops, database=database))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://wangdian.test") as client:
            yield System(app, client, clock)
