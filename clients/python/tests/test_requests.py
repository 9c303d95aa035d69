"""What goes over the wire: paths, bodies, headers, identities."""

import json
from datetime import date

import httpx
import pytest
from wangdian_client import NO_RETRY, StaleVersion, etag_of, location_of, trace

OK = httpx.Response(200, json={"id": "x"})

CASES = [
    (lambda c: c.staff.units.create({"id": "u", "name": "n", "kind": "branch"}), "POST", "/staff/v1/units"),
    (lambda c: c.staff.people.create({"id": "T1"}), "POST", "/staff/v1/people"),
    (lambda c: c.staff.qualifications.grant("T1", {"code": "fx"}), "POST", "/staff/v1/people/T1/qualifications"),
    (lambda c: c.queue.services.put("cash", {"prefix": "A"}), "PUT", "/queue/v1/services/cash"),
    (lambda c: c.queue.windows.open("b", 3), "POST", "/queue/v1/branches/b/windows/3/open"),
    (lambda c: c.queue.windows.take_break("b", 3), "POST", "/queue/v1/branches/b/windows/3/break"),
    (lambda c: c.queue.windows.resume("b", 3), "POST", "/queue/v1/branches/b/windows/3/resume"),
    (lambda c: c.queue.windows.close("b", 3), "POST", "/queue/v1/branches/b/windows/3/close"),
    (lambda c: c.queue.windows.call_next("b", 3), "POST", "/queue/v1/branches/b/windows/3/call-next"),
    (lambda c: c.queue.tickets.issue("b", "cash"), "POST", "/queue/v1/branches/b/tickets"),
    (lambda c: c.queue.tickets.follow("tok"), "GET", "/queue/v1/t/tok"),
    (lambda c: c.queue.visits.get("v"), "GET", "/queue/v1/visits/v"),
    (lambda c: c.queue.visits.recall("v"), "POST", "/queue/v1/visits/v/recall"),
    (lambda c: c.queue.visits.start("v"), "POST", "/queue/v1/visits/v/start"),
    (lambda c: c.queue.visits.finish("v"), "POST", "/queue/v1/visits/v/finish"),
    (lambda c: c.queue.visits.no_show("v"), "POST", "/queue/v1/visits/v/no-show"),
    (lambda c: c.queue.visits.leave("v"), "POST", "/queue/v1/visits/v/leave"),
    (lambda c: c.queue.imports.get("i"), "GET", "/queue/v1/imports/i"),
    (lambda c: c.surveys.invitations.for_visit("v"), "GET", "/surveys/v1/visits/v/invitation"),
    (lambda c: c.surveys.invitations.get("tok"), "GET", "/surveys/v1/invitations/tok"),
    (lambda c: c.surveys.responses.submit("tok", {"q": 5}), "POST", "/surveys/v1/invitations/tok/response"),
    (lambda c: c.request("DELETE", "/queue/v1/x"), "DELETE", "/queue/v1/x"),
]


@pytest.mark.parametrize(("operation", "method", "path"), CASES, ids=[f"{m} {p}" for _, m, p in CASES])
async def test_each_operation_is_its_request(subject, server, operation, method, path):
    bank = server(OK)
    assert await subject.on(bank).do(operation) == {"id": "x"}
    (request,) = bank.requests
    assert (request.method, request.url.path) == (method, "/api" + path)
    assert bool(request.headers.get("Idempotency-Key")) == (method != "GET")


async def test_a_ticket_names_service_channel_class_and_contact(subject, server):
    bank = server(OK)
    contact = {"phone": "13800000000"}
    await subject.on(bank).do(lambda c: c.queue.tickets.issue("b", "cash", class_="care", contact=contact))
    sent = json.loads(bank.requests[0].content)
    assert sent == {"service": "cash", "channel": "kiosk", "class": "care", "contact": contact}


async def test_nobody_waiting_is_none(subject, server):
    assert await subject.on(server(httpx.Response(204))).do(lambda c: c.queue.windows.call_next("b", 1)) is None


async def test_an_id_cannot_leave_its_place_in_the_path(subject, server):
    bank = server(OK)
    await subject.on(bank).do(lambda c: c.queue.visits.get("../x?y=1/零"))
    assert bank.requests[0].url.raw_path == b"/api/queue/v1/visits/..%2Fx%3Fy%3D1%2F%E9%9B%B6"


async def test_a_metric_is_asked_for_by_unit_period_and_target(subject, server):
    bank = server(OK)
    await subject.on(bank).do(
        lambda c: c.aggregator.metrics.get(
            "wait.service_level", unit="hq", from_=date(2026, 1, 1), to="2026-01-31", by="month", within=600
        )
    )
    url = bank.requests[0].url
    assert url.path == "/api/aggregator/v1/metrics/wait.service_level"
    assert dict(url.params) == {
        "unit": "hq",
        "from": "2026-01-01",
        "to": "2026-01-31",
        "by": "month",
        "within": "600",
    }


async def test_the_etag_of_a_document_is_its_if_match(subject, server):
    bank = server(
        httpx.Response(200, json={"id": "v"}, headers={"ETag": '"3"', "Location": "/queue/v1/visits/v"}),
        httpx.Response(412),
    )
    subject.on(bank)
    visit = await subject.do(lambda c: c.queue.visits.get("v"))
    assert etag_of(visit) == '"3"'
    assert location_of(visit) == "/queue/v1/visits/v"
    assert etag_of({}) is None
    with pytest.raises(StaleVersion):
        await subject.do(lambda c: c.queue.visits.leave("v", if_match=etag_of(visit)))
    assert bank.requests[1].headers["If-Match"] == '"3"'


async def test_headers_of_every_request(subject, server):
    bank = server(OK)
    subject.on(bank, language="zh-CN", user_agent="kiosk/7")
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with trace(traceparent):
        await subject.do(lambda c: c.queue.visits.get("v"))
    await subject.do(lambda c: c.queue.visits.get("v"))
    traced, plain = (request.headers for request in bank.requests)
    assert traced["Authorization"] == "Bearer secret"
    assert traced["Accept-Language"] == "zh-CN"
    assert traced["User-Agent"].startswith("kiosk/7 wangdian-client/")
    assert traced["traceparent"] == traceparent
    assert "traceparent" not in plain
    assert bank.requests[0].extensions["timeout"]["read"] == 10.0


async def test_a_customers_phone_sends_no_bearer(subject, server):
    bank = server(OK)
    subject.on(bank)
    await subject.do(lambda c: c.queue.tickets.follow("tok"))
    await subject.do(lambda c: c.surveys.responses.submit("tok", {"q": 5}))
    assert all("Authorization" not in request.headers for request in bank.requests)


async def test_the_provider_is_asked_before_every_attempt(subject, server):
    tokens = iter(["old", "new"])
    bank = server(httpx.Response(503), OK)
    await subject.on(bank, token_provider=lambda: next(tokens)).do(lambda c: c.queue.visits.get("v"))
    assert [request.headers["Authorization"] for request in bank.requests] == ["Bearer old", "Bearer new"]


async def test_another_identity_shares_the_connections(subject, server):
    bank = server(OK)
    other = subject.on(bank).client.acting(token="teller")
    assert other._runner.http is subject.client._runner.http
    assert subject.client.acting(retry=NO_RETRY)._runner.settings.retry is NO_RETRY
    await subject.do(lambda c: other.queue.visits.start("v"))
    await subject.do(lambda c: c.queue.visits.start("v"))
    assert [request.headers["Authorization"] for request in bank.requests] == ["Bearer teller", "Bearer secret"]


async def test_confirmed_writes_are_told_and_only_those(subject, server):
    told = []
    bank = server(httpx.Response(503), OK, OK, httpx.Response(409))
    subject.on(bank, on_acknowledged=told.append)
    await subject.do(lambda c: c.queue.tickets.issue("b", "cash"))
    await subject.do(lambda c: c.queue.visits.get("v"))
    with pytest.raises(Exception, match="409"):
        await subject.do(lambda c: c.queue.visits.start("v"))
    (write,) = told
    assert (write.kind, write.key, write.status) == ("queue.tickets.issue", bank.keys[0], 200)
    assert (write.reply, write.attempts) == ({"id": "x"}, 2)


def test_a_token_and_a_provider_exclude_each_other(subject):
    with pytest.raises(TypeError):
        subject.on(lambda request: OK, token="a", token_provider=lambda: "b").client.acting(
            token="a", token_provider=lambda: "b"
        )
