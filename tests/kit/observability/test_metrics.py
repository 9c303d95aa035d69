"""Metrics: bounded labels, one registry per application, and a loop that is watched."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import StreamingResponse

from shared.observability.metrics import HttpMetricsMiddleware, Metrics


def samples(text: bytes) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


async def shown(metrics: Metrics) -> dict[str, float]:
    return samples((await metrics.render())[0])


def application(metrics: Metrics) -> FastAPI:
    router = APIRouter(prefix="/queue/v1")

    @router.get("/visits/{visit}")
    async def visit(visit: str) -> str:
        if visit == "bad":
            raise RuntimeError
        return visit

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        async def slow() -> Any:
            yield b": hello\n\n"
            await asyncio.sleep(0.2)

        return StreamingResponse(slow(), media_type="text/event-stream")

    app = FastAPI()
    app.include_router(router)
    app.add_middleware(HttpMetricsMiddleware, metrics=metrics)
    return app


def client(metrics: Metrics) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(metrics), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_requests_count_by_template_never_by_path() -> None:
    metrics = Metrics()
    async with client(metrics) as http:
        for path in ("/queue/v1/visits/1", "/queue/v1/visits/2", "/queue/v1/visits/bad", "/13800138000", "/other"):
            await http.get(path)
        await http.request("BREW", "/queue/v1/visits/1")
        await http.request("TEA", "/queue/v1/visits/1")
    figures = await shown(metrics)
    requests = {key: value for key, value in figures.items() if key.startswith("wangdian_http_requests_total")}
    route = "route=/queue/v1/visits/{visit},service=queue"
    assert requests == {
        f"wangdian_http_requests_total{{method=GET,{route},status=2xx}}": 2,
        f"wangdian_http_requests_total{{method=GET,{route},status=5xx}}": 1,
        f"wangdian_http_requests_total{{method=other,{route},status=4xx}}": 2,
        "wangdian_http_requests_total{method=GET,route=unmatched,service=operator,status=4xx}": 2,
    }
    assert figures[f"wangdian_http_request_seconds_count{{method=GET,{route},status=2xx}}"] == 2
    assert figures["wangdian_http_in_flight{}"] == 0
    assert "13800138000" not in str(figures)


async def test_an_event_stream_is_measured_to_its_start() -> None:
    metrics = Metrics()
    async with client(metrics) as http:
        await http.get("/queue/v1/stream")
    figures = await shown(metrics)
    key = "wangdian_http_request_seconds_sum{method=GET,route=/queue/v1/stream,service=queue,status=2xx}"
    assert figures[key] < 0.15


async def test_two_applications_do_not_mix() -> None:
    one, two = Metrics(), Metrics()
    one.events.parked("queue")
    assert (await shown(one))["wangdian_events_parked_total{service=queue}"] == 1
    assert "wangdian_events_parked_total{service=queue}" not in await shown(two)


async def test_event_figures() -> None:
    metrics = Metrics()
    events = metrics.events
    events.declare("queue")
    assert (await shown(metrics))["wangdian_events_dead_total{service=queue}"] == 0
    events.backlog("queue", 7, 1.5)
    events.relayed("queue", 5, 2)
    events.consumed("queue", handled=3, skipped=4)
    events.dead("queue")
    events.parked("queue")
    events.waiting_now("queue", 2, 1)
    events.lag("queue", "staff.directory", 1, 9)
    events.handler_took("queue", "queue.tickets.react", 0.2)
    events.delayed("queue", [-1.0, 0.05, 0.06, 1e9])
    figures = await shown(metrics)
    expected = {
        "wangdian_outbox_unpublished{service=queue}": 7,
        "wangdian_outbox_oldest_seconds{service=queue}": 1.5,
        "wangdian_relay_batches_total{service=queue}": 1,
        "wangdian_relay_events_total{service=queue}": 5,
        "wangdian_relay_errors_total{service=queue}": 2,
        "wangdian_events_handled_total{service=queue}": 3,
        "wangdian_events_skipped_total{service=queue}": 4,
        "wangdian_events_dead_total{service=queue}": 1,
        "wangdian_events_parked_total{service=queue}": 1,
        "wangdian_events_parked_subjects{service=queue}": 2,
        "wangdian_consumer_lag{partition=1,service=queue,topic=staff.directory}": 9,
        "wangdian_handler_seconds_count{handler=queue.tickets.react,service=queue}": 1,
        "wangdian_event_delay_seconds_sum{service=queue}": 1e9 + 0.11,
        "wangdian_event_delay_seconds_count{service=queue}": 4,
        "wangdian_event_delay_seconds_bucket{le=0.05,service=queue}": 2,
        "wangdian_event_delay_seconds_bucket{le=0.1,service=queue}": 3,
        "wangdian_event_delay_seconds_bucket{le=86400.0,service=queue}": 3,
        "wangdian_event_delay_seconds_bucket{le=+Inf,service=queue}": 4,
    }
    assert expected.items() <= figures.items()


async def test_sources_are_asked_at_each_scrape_and_a_sick_one_hides_nothing() -> None:
    metrics = Metrics()

    def family(unit: str) -> list[Metric]:
        gauge = GaugeMetricFamily("wangdian_visits", "Visits", labels=["unit"])
        gauge.add_metric([unit], 3)
        return [gauge]

    async def first() -> Iterable[Metric]:
        return family("a")

    async def second() -> Iterable[Metric]:
        return family("b")

    async def sick() -> Iterable[Metric]:
        raise OSError

    for name, source in {"first": first, "second": second, "sick": sick}.items():
        metrics.add_source(name, source)
    text, content_type = await metrics.render()
    figures = samples(text)
    assert figures["wangdian_visits{unit=a}"] == figures["wangdian_visits{unit=b}"] == 3
    assert figures["wangdian_scrape_failures_total{source=sick}"] == 1
    assert figures["wangdian_scrape_failures_total{source=first}"] == 0
    assert text.count(b"# TYPE wangdian_visits ") == 1
    assert content_type.startswith("text/plain")
    assert (await metrics.render("application/openmetrics-text; version=1.0.0"))[0].endswith(b"# EOF\n")


async def test_a_blocked_loop_is_seen() -> None:
    metrics = Metrics()
    watch = asyncio.create_task(metrics.watch_loop())
    await asyncio.sleep(0.06)
    time.sleep(0.25)  # noqa: ASYNC251 - the block that must be seen
    await asyncio.sleep(0.06)
    watch.cancel()
    figures = await shown(metrics)
    assert figures["wangdian_loop_blocked_total{}"] >= 1
    assert figures["wangdian_loop_blocked_seconds{}"] >= 0.2


async def test_the_longest_block_is_forgotten_after_two_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Metrics().loop
    now = loop._turned
    monkeypatch.setattr("shared.observability.loop_metrics.time.monotonic", lambda: now)
    loop.late(0.5)
    now += 31
    loop.late(0.01)
    assert loop.worst() == 0.5
    now += 31
    loop.late(0.01)
    assert loop.worst() == 0.01
