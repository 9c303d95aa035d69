"""Finding the branches, and seating tellers at their windows before the first customer comes."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from wangdian_client.client import AsyncWangdian
from wangdian_client.demo.scenario import Scenario
from wangdian_client.models.queue import Service, Window
from wangdian_client.problems import Conflict
from wangdian_client.retry import Retry

_TOKEN_SECONDS = 60.0


class NothingOpen(Exception):
    """No window of the branches asked for could be opened, so no customer could be served."""


class TokenFactory(Protocol):
    """Makes a bearer token for a role; `staff` is the teller's id (None for devices), `unit` the root it may act in."""

    def __call__(self, role: str, staff: str | None, unit: str) -> str: ...


@dataclass(frozen=True)
class Seat:
    """A teller at an open window. `busy_with` is the visit an earlier run has left there unfinished."""

    unit: str
    no: int
    staff: str
    services: tuple[str, ...]
    busy_with: str | None


class Identities:
    """The client under each identity, all on the same connections; tokens are renewed every minute."""

    def __init__(self, client: AsyncWangdian, tokens: TokenFactory, retry: Retry) -> None:
        self._client = client
        self._tokens = tokens
        self._retry = retry
        self._made: dict[tuple[str, str | None, str], tuple[float, str]] = {}

    def of(self, role: str, unit: str, staff: str | None = None) -> AsyncWangdian:
        """The client acting in this role."""
        return self._client.acting(token_provider=lambda: self._token(role, staff, unit), retry=self._retry)

    def _token(self, role: str, staff: str | None, unit: str) -> str:
        made, token = self._made.get((role, staff, unit), (float("-inf"), ""))
        now = time.monotonic()
        if now - made > _TOKEN_SECONDS:
            token = self._tokens(role, staff, unit)
            self._made[role, staff, unit] = (now, token)
        return token


async def seat_tellers(identities: Identities, scenario: Scenario) -> list[Seat]:
    """Open windows in every branch of the scenario, as far as there are tellers qualified for a service.

    Raises `NothingOpen` if none could be opened.
    """
    seats = [
        seat for unit in await _branches(identities, scenario) for seat in await _seats(identities, unit, scenario)
    ]
    if not seats:
        raise NothingOpen(f"no window could be opened in {', '.join(scenario.branches) or scenario.root}")
    return seats


async def _branches(identities: Identities, scenario: Scenario) -> list[str]:
    if scenario.branches:
        return sorted(set(scenario.branches))
    units = identities.of("head_office", scenario.root).staff.units.list()
    return sorted([unit["id"] async for unit in units if unit["kind"] == "branch"])


async def _seats(identities: Identities, unit: str, scenario: Scenario) -> list[Seat]:
    manager = identities.of("branch_manager", unit)
    services = [service async for service in manager.queue.services.list(unit)]
    windows = sorted([window async for window in manager.queue.windows.list(unit)], key=lambda window: window["no"])
    people = sorted(
        [person["id"] async for person in manager.staff.people.list(unit=unit) if person["post"] == "teller"]
    )
    seated = {window["staff_id"] for window in windows if window["staff_id"]}
    free = iter([person for person in people if person not in seated])
    seats: list[Seat] = []
    for window in windows[: scenario.windows]:
        staff = window["staff_id"]
        candidates = iter([staff]) if staff and window["state"] != "closed" else free
        seat = await _seat(identities, unit, window, services, candidates)
        if seat is not None:
            seats.append(seat)
    return seats


async def _seat(
    identities: Identities, unit: str, window: Window, services: Collection[Service], candidates: Iterator[str]
) -> Seat | None:
    for staff in candidates:
        opened = await _open(identities, unit, window, services, staff)
        if opened is not None:
            return Seat(unit, window["no"], staff, tuple(sorted(opened["services"])), opened.get("visit"))
    return None


async def _open(
    identities: Identities, unit: str, window: Window, services: Collection[Service], staff: str
) -> Window | None:
    teller = identities.of("teller", unit, staff)
    if window["state"] == "open":
        return window
    if window["state"] == "break":
        return await teller.queue.windows.resume(unit, window["no"])
    granted = {
        qualification["code"]
        async for qualification in identities.of("branch_manager", unit).staff.qualifications.list(staff)
        if not qualification.get("revoked_at")
    }
    # A grant may have expired, which only the server's clock decides: then the services that need none are left.
    for held in (granted, set()):
        wanted = [
            service["code"]
            for service in services
            if (needed := service.get("required_qualification")) is None or needed in held
        ]
        if wanted:
            try:
                return await teller.queue.windows.open(unit, window["no"], services=wanted)
            except Conflict:
                continue
    return None
