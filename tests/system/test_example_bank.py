"""The example bank is loaded through the front door, once, and completed after a stop in between."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from wangdian_client import AsyncWangdian, NotFound, Retry

from services import example_bank
from services.commands.example_bank import load_when_ready
from services.example_bank import Bank, load_bank
from services.registry import load
from shared.app import build_app
from shared.clock import SystemClock
from shared.settings import Settings
from shared.testing.system import System, system

SERVICES = ["staff", "queue", "surveys"]


@pytest.fixture
async def running(tmp_path) -> AsyncIterator[System]:
    async with system(load(SERVICES), tmp_path, clock=SystemClock(), loops=True) as found:
        yield found


def head_office(running: System) -> AsyncWangdian:
    transport = httpx.ASGITransport(app=running.app, raise_app_exceptions=False)
    return AsyncWangdian(
        "http://wangdian.test",
        token_provider=lambda: running.token("head_office", units=("*",), sub="example-bank"),
        transport=transport,
        retry=Retry(attempts=100),
    )


async def test_the_bank_is_loaded_once_and_can_be_used(running):
    async with head_office(running) as client:
        assert await load_bank(client) > 80
        assert await load_bank(client) == 0
        branches = [unit["id"] async for unit in client.staff.units.list() if unit["kind"] == "branch"]
        assert branches == ["bj-001", "gz-001", "gz-002", "old-001"]
        people = [person async for person in client.staff.people.list(unit="gz-001")]
        assert {person["id"]: person["name"] for person in people}["T0003"] == "欧阳*"
        assert len([service async for service in client.queue.services.list("gz-001")]) == 5
        assert [window["no"] async for window in client.queue.windows.list("gz-002")] == ["1", "2", "3"]
        form = await client.request("GET", "/surveys/v1/questionnaires/visit")
        assert [item["dimension"] for item in form["items"]][:3] == ["quality", "efficiency", "attitude"]
    opened = await open_window(running, "gz-001", "T0001", ["cash", "wealth"])
    assert opened.status_code == 200, opened.text
    refused = await open_window(running, "bj-001", "T0205", ["cash"])
    assert (refused.status_code, refused.json()["code"]) == (409, "not_qualified")


async def open_window(running, unit, staff, services):
    """The teller's own view may lag behind by a moment."""
    for _ in range(100):
        answer = await running.call(
            "POST", f"/queue/v1/branches/{unit}/windows/1/open", "teller", staff=staff, units=(unit,),
            json={"services": services},
        )  # fmt: skip
        if "retry-after" not in answer.headers:
            break
        await asyncio.sleep(0.05)
    return answer


async def test_a_load_cut_short_is_completed(running, monkeypatch):
    stages = list(Bank(example_bank.FOLDER).stages())
    async with head_office(running) as client:
        with monkeypatch.context() as stopped:
            stopped.setattr(Bank, "stages", lambda _: iter(stages[:4]))
            stopped.setattr(Bank, "first_version", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await load_bank(client)
        assert await load_bank(client) > 0
        codes = [item["code"] async for item in client.staff.qualifications.list("T0003")]
        assert sorted(codes) == ["counter", "fx", "wealth"]


async def test_another_bank_is_left_alone(running):
    unit = {"code": "mine", "kind": "head_office", "names": {"zh": "我行", "en": "Mine"}}
    await running.call("POST", "/staff/v1/units", "head_office", units=("*",), json=unit, expect=201)
    async with head_office(running) as client:
        assert await load_bank(client) == 0
        assert [unit["id"] async for unit in client.staff.units.list()] == ["mine"]


async def test_the_application_loads_it_beside_its_first_requests(tmp_path):
    app = build_app(load(SERVICES), Settings(data=tmp_path))
    load_when_ready(app)
    async with (
        app.router.lifespan_context(app),
        head_office(System(app, None, SystemClock())) as client,  # type: ignore[arg-type]
    ):
        for _ in range(200):
            try:
                await client.request("GET", "/surveys/v1/questionnaires/visit")
                break
            except NotFound:
                await asyncio.sleep(0.1)
        else:
            pytest.fail("the example bank was not loaded")
