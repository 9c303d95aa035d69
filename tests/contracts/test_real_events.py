"""An event of every type, as the running services tell it, fits its published schema and envelope."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator, FormatChecker
from wangdian_client import AsyncWangdian, Retry

from services.example_bank import load_bank
from services.queue.devices import service as devices
from services.queue.devices.models import Device
from services.queue.devices.rules import DeviceKind
from services.queue.devices.silence import listener
from services.registry import load
from shared.clock import SystemClock
from shared.contracts.asyncapi import HEADERS, event_schema
from shared.contracts.base import catalogue
from shared.db.statements import table
from shared.db.tables import outbox
from shared.db.uow import Uow
from shared.directory import replica
from shared.testing.system import System, system

TOLD = sa.select(outbox.c.headers, outbox.c.payload).order_by(outbox.c.seq)
HALL = "/queue/v1/branches/gz-001"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[System]:
    """All services with the example bank."""
    async with system(load(), tmp_path, clock=SystemClock(), loops=True) as found:
        transport = httpx.ASGITransport(app=found.app, raise_app_exceptions=False)

        def token() -> str:
            return found.token("head_office", units=("*",), sub="example-bank")

        async with AsyncWangdian(
            "http://wangdian.test", token_provider=token, transport=transport, retry=Retry(attempts=100, total=60.0)
        ) as client:
            await load_bank(client)
        yield found


async def act(running: System, path: str, role: str, staff: str | None = None, **request: Any) -> Any:
    """POST as ``role``; the view of the directory may lag behind by a moment."""
    answer = await running.call("POST", path, role, staff=staff, units=("gz-001",), **request)
    for _ in range(100):
        if answer.status_code != 409 or "retry-after" not in answer.headers:
            break
        await asyncio.sleep(0.1)
        answer = await running.call("POST", path, role, staff=staff, units=("gz-001",), **request)
    return answer.json() if answer.content else None


async def a_day(running: System) -> None:
    """Something of everything: a refusal and its override, and three visits that end in each way."""
    teller = {"role": "teller", "staff": "T0001"}
    window = f"{HALL}/windows/1"
    assert (await act(running, f"{window}/open", **teller, json={"services": ["fx"]}))["code"] == "not_qualified"
    override = {"staff": "T0001", "qualification": "fx", "reason": "no other teller today"}
    await act(running, f"{HALL}/overrides", "branch_manager", "M0001", json=override)
    assert (await act(running, f"{window}/open", **teller, json={"services": ["cash", "fx"]}))["state"] == "open"
    ended = {}
    for end in (("leave",), ("no-show",), ("start", "finish")):
        visit = await act(running, f"{HALL}/tickets", "kiosk", json={"service": "cash"})
        if end[0] != "leave":
            await act(running, f"{window}/call-next", **teller)
        for step in end:
            who = teller if end[0] != "leave" else {"role": "kiosk"}
            ended[step] = await act(running, f"/queue/v1/visits/{visit['id']}/{step}", **who)
    await act(running, f"{window}/close", **teller)
    asked = None
    while asked is None or asked.status_code != 200:
        await asyncio.sleep(0.1)
        path = f"/surveys/v1/visits/{ended['finish']['id']}/invitation"
        asked = await running.call("GET", path, "kiosk", units=("gz-001",))
    answers = {"answers": {"quality": 5, "efficiency": 4, "attitude": 5}}
    await act(running, f"/surveys/v1/invitations/{asked.json()['token']}/response", "kiosk", json=answers)
    await a_silent_device(running)
    for service in running.app.state.services.values():
        await service.sealer.turn()


async def a_silent_device(running: System) -> None:
    """A kiosk is enrolled, and has not been heard for two minutes."""
    queue = running.runtime("queue")

    async def enrol(uow: Uow) -> None:
        secret = await devices.begin(uow, DeviceKind.KIOSK)
        row = await devices.by_secret(uow, uow.records.token_hash(secret))
        await devices.enrol(uow, await replica.unit(uow, "gz-001"), row.code, "door")
        long_ago = uow.now - timedelta(minutes=2)
        await uow.execute(sa.update(table(Device)).values(seen_at=sa.bindparam("then")), then=long_ago)

    await queue.db.write(enrol, actor="M0001")
    await listener(queue)()


async def told(running: System) -> dict[str, list[tuple[dict[str, str], bytes]]]:
    """(headers, payload) of everything that any service has told, by type."""
    found: dict[str, list[tuple[dict[str, str], bytes]]] = {}
    for service in running.app.state.services.values():
        for row in await service.db.read(lambda reads: reads.all(TOLD)):
            found.setdefault(row.headers["ce_type"], []).append((row.headers, row.payload))
    return found


async def test_a_real_event_of_each_type_is_valid(running: System) -> None:
    await a_day(running)
    found = await told(running)
    assert found.keys() == catalogue().keys()
    envelope = Draft202012Validator(HEADERS, format_checker=FormatChecker())
    for name, kind in catalogue().items():
        data = Draft202012Validator(event_schema(kind), format_checker=FormatChecker())
        for headers, payload in found[name]:
            data.validate(json.loads(payload))
            envelope.validate(headers)
            assert headers["ce_dataschema"].endswith(f"/{name}.json")
