"""Liveness and readiness, and the routes that show them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from shared.observability.health import Loops, Readiness
from shared.observability.metrics import Metrics
from shared.observability.operator import operator_routes
from shared.web import handlers


class Time:
    """A monotonic clock by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


def test_a_loop_is_stalled_when_silent_for_longer_than_its_limit(clock: Time) -> None:
    loops = Loops(clock)
    relay = loops.register("queue.relay", limit=10)
    loops.register("queue.consume", limit=30)
    assert loops.stalled() == []
    clock.now += 10
    assert loops.stalled() == []
    clock.now += 1
    assert loops.stalled() == ["queue.relay"]
    relay.turn()
    assert loops.stalled() == []
    assert loops.stalled(now=clock.now + 25) == ["queue.consume", "queue.relay"]
    assert loops.stalled(limit=5) == ["queue.consume"]
    loops.forget("queue.consume")
    assert loops.stalled(limit=5) == []


async def test_checks_are_asked_once_a_second_however_many_ask(clock: Time) -> None:
    readiness, asked = Readiness(clock), 0

    async def database() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if asked > 1:
            raise OSError("secret words")

    readiness.add("queue.database", database)
    assert await asyncio.gather(*(readiness.failed() for _ in range(20))) == [{}] * 20
    assert asked == 1
    clock.now += 1
    assert await readiness.failed() == {"queue.database": "OSError"}


async def test_a_hanging_check_is_a_failing_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.observability.health.CHECK_LIMIT", 0.01)
    readiness = Readiness()
    readiness.add("bus", asyncio.Event().wait)  # type: ignore[arg-type]
    assert await readiness.failed() == {"bus": "TimeoutError"}


@pytest.fixture
def app(clock: Time) -> FastAPI:
    app = FastAPI()
    app.state.metrics, app.state.loops = Metrics(), Loops(clock)
    handlers.install(app)
    operator_routes(app)
    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_livez_names_the_loop_that_stopped(app: FastAPI, http: httpx.AsyncClient, clock: Time) -> None:
    app.state.loops.register("queue.relay", limit=10)
    assert ((await http.get("/livez")).status_code, (await http.get("/livez")).json()) == (200, {"status": "ok"})
    clock.now += 11
    reply = await http.get("/livez")
    assert reply.status_code == 503
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert (reply.json()["code"], reply.json()["loops"]) == ("loop_stalled", ["queue.relay"])


async def test_readyz_names_the_check_and_the_type_of_its_error(app: FastAPI, http: httpx.AsyncClient) -> None:
    assert (await http.get("/readyz")).json() == {"status": "ok"}

    async def gone() -> None:
        raise ConnectionError("user=wang password=secret")

    app.state.readiness.add("queue.database", gone)
    reply = await http.get("/readyz")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert (reply.json()["code"], reply.json()["failed"]) == ("not_ready", {"queue.database": "ConnectionError"})
    assert "secret" not in reply.text


async def test_metrics_show_the_age_of_each_loop(app: FastAPI, http: httpx.AsyncClient, clock: Time) -> None:
    app.state.loops.register("queue.relay")
    clock.now += 4
    reply = await http.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    assert 'wangdian_loop_turn_age_seconds{loop="queue.relay"} 4.0' in reply.text
