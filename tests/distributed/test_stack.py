"""The distributed system as a whole: demo and import go through it, Prometheus sees it, a killed part comes back."""

import os
import re
import time
from typing import Any

import httpx
import pytest

from services.registry import SERVICES
from shared.testing.stack.children import stop
from shared.testing.stack.stack import ROLES, Stack
from tests.distributed.test_alerts import queries
from tests.distributed.tools import eventually, wangdian

FOLLOWS_IN = 20.0
"""Seconds from the start of a killed worker to the figure in Prometheus, which looks every two seconds."""
STARVED = {"EventLoopBlocked"}
"""What is true of a machine with more work than cores, whoever gives it: a process that gets no turn stands still."""
TAKEN_OVER_IN = 25.0
"""Seconds from a worker's death, some customers included, to the figure that another worker made."""


def ask(stack: Stack, expression: str) -> list[dict[str, Any]]:
    """What Prometheus answers."""
    reply = httpx.get(f"{stack.prometheus_url}/api/v1/query", params={"query": expression}).json()
    assert reply["status"] == "success", (expression, reply)
    return reply["data"]["result"]


def flow(stack: Stack) -> dict[str, str]:
    """The rest of each service's line of `events flow`."""
    lines = wangdian(stack, "events", "flow", "--url", stack.operations).splitlines()
    return dict(line.split(None, 1) for line in lines)


def quiet(stack: Stack) -> bool:
    """Whether every event has arrived."""
    return set(flow(stack).values()) == {"outbox 0  lag 0  parked 0  dead 0"}


def test_figures_follow_through_kafka(used: Stack) -> None:
    headers = {"Authorization": f"Bearer {used.token('head_office')}"}
    url = f"{used.url}/aggregator/v1/metrics/visits.served?unit=old-001&from=2026-03-02&to=2026-03-02"

    def counted() -> bool:
        points = httpx.get(url, headers=headers).json()["points"]
        return bool(points) and points[0]["numerator"] > 0

    eventually(counted)
    eventually(lambda: quiet(used))
    audits = wangdian(used, "audit", "verify", "--url", used.operations).splitlines()
    assert [line.split()[:2] for line in audits] == [[name, "ok:"] for name in SERVICES]


@pytest.mark.parametrize(
    "path", ["/metrics", "/livez", "/readyz", "/operator/v1/queue/flow", "/queue/metrics", "/operator"]
)
def test_the_gateway_shows_nothing_of_operations(stack: Stack, path: str) -> None:
    reply = httpx.get(stack.url + path)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "not_found"


def test_pages_come_from_whoever_has_them(stack: Stack) -> None:
    start = httpx.get(stack.url + "/")
    assert start.status_code == 200
    assert "/docs" in start.text
    assert httpx.get(f"{stack.url}/sign-in").status_code == 200
    documents = httpx.get(f"{stack.url}/docs?of=queue")
    assert "/openapi/queue.json" in documents.text
    wall = httpx.get(f"{stack.url}/aggregator/?unit=gz-001")
    assert (wall.status_code, wall.headers["location"]) == (303, "/sign-in?next=/aggregator/%3Funit%3Dgz-001")
    for path in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', start.text + documents.text)):
        assert httpx.get(stack.url + path).status_code == 200, path
    figures = "/static/0/aggregator/figures/figures.css"  # of another build: today's file, not to be kept
    assert httpx.get(stack.url + figures).headers["cache-control"] == "no-cache"
    assert httpx.get(f"{stack.url}/web/version").json()["build"]
    assert httpx.post(f"{stack.url}/sign-out").status_code == 403


def test_operator_ports_have_no_business_and_public_ports_no_operations(stack: Stack) -> None:
    for service in SERVICES:
        for role in ROLES:
            operator = stack.operator_url(service, role)
            assert httpx.get(f"{operator}/livez").status_code == 200
            assert httpx.get(f"{operator}/{service}/v1/units").status_code == 404


def test_each_service_shows_its_document(stack: Stack) -> None:
    for service in SERVICES:
        paths = httpx.get(f"{stack.url}/openapi/{service}.json").json()["paths"]
        assert paths and all(path.startswith(f"/{service}/v1/") for path in paths)


def test_a_long_body_is_refused_at_the_gateway_as_a_problem(stack: Stack) -> None:
    reply = httpx.post(f"{stack.url}/queue/v1/branches/gz-001/tickets", content=b"x" * (1 << 20 | 1))
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")


def test_prometheus_scrapes_every_process(stack: Stack) -> None:
    wanted = {(service, role) for service in SERVICES for role in ROLES}

    def up() -> bool:
        return {(s["metric"]["app"], s["metric"]["role"]) for s in ask(stack, "up == 1")} == wanted

    eventually(up)
    firing = {found["metric"]["alertname"] for found in ask(stack, 'ALERTS{alertstate="firing"}')}
    # By the time of the last five minutes, which is what that alert looks at, too.
    starved = os.getloadavg()[1] > (os.cpu_count() or 1)
    assert firing <= (STARVED if starved else set())


def served(stack: Stack) -> list[dict[str, Any]]:
    """No answer, and another customer by the time of the next question."""
    wangdian(stack, "demo", "--visits", "1")
    return []


def test_every_query_of_every_dashboard_runs_and_finds_something(used: Stack) -> None:
    maybe_empty = re.compile("告警|失败循环|时长|率 |满意率")
    for where, expression in queries():
        if maybe_empty.search(where):
            ask(used, expression)
        else:
            # A rate of the last five minutes has nothing to say of a hall in which nobody was for as long.
            eventually(lambda expression=expression: ask(used, expression) or served(used), f"{where}: {expression}")


def test_a_killed_worker_goes_on_where_it_was(used: Stack) -> None:
    before = ask(used, 'sum(wangdian_business_n{metric="visits.opened", period="total", role="serve"})')
    for name in ("aggregator work", "queue work"):
        used.children[name].kill()
    wangdian(used, "demo", "--visits", "10", "--seed", "5")
    for name in ("aggregator work", "queue work"):
        used.start(name)
    begun = time.monotonic()
    query = 'sum(wangdian_business_n{metric="visits.opened", period="total", role="serve"})'
    eventually(lambda: float(ask(used, query)[0]["value"][1]) >= float(before[0]["value"][1]) + 10)
    # Its lease and its place in the group are its own: it waits for neither to run out.
    assert time.monotonic() - begun < FOLLOWS_IN


async def test_what_a_killed_worker_had_is_soon_taken_over_by_another(used: Stack) -> None:
    """One that has no name of its own waits for the lease and the session of the dead one, and no longer."""
    query = 'sum(wangdian_business_n{metric="visits.opened", period="total", role="serve"})'
    before = ask(used, query)
    wangdian(used, "demo", "--visits", "5", "--seed", "8")
    eventually(lambda: float(ask(used, query)[0]["value"][1]) >= float(before[0]["value"][1]) + 5)
    others = [used.beside(service, "work", 2) for service in ("aggregator", "queue")]
    try:
        for service in ("aggregator", "queue"):
            used.kill(f"{service} work")
        begun = time.monotonic()
        wangdian(used, "demo", "--visits", "5", "--seed", "9")
        eventually(lambda: float(ask(used, query)[0]["value"][1]) >= float(before[0]["value"][1]) + 10)
        assert time.monotonic() - begun < TAKEN_OVER_IN
    finally:
        for service in ("aggregator", "queue"):
            used.start(f"{service} work")
        stop([used.children.pop(name) for name in others])
