"""What callers may send: only what is declared, of bounded size, and never an address that we would call."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import jwt
import pytest

from shared.clock import FixedClock
from shared.security.jwks import RemoteJwks
from shared.testing.system import MORNING
from shared.web.client import Peers, PeerUnavailable
from tests.security.surface import counts, operations, parts, resolved

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITH_BODY = [operation for operation in operations() if operation.body is not None]
LISTS = [operation for operation in operations() if operation.method == "GET"]
BOUNDED_OTHERWISE = {
    "/staff/v1/sessions/{session}": "roles and units of one person, at most a hundred when the session begins",
    "/queue/v1/visits/{visit}": "the acts that a state allows",
    "/queue/v1/branches/{unit}/waits": "a row a service that the branch offers",
    "/queue/v1/classes": "classes of customers are a handful, made by head office",
    "/surveys/v1/questionnaires/{code}": "items of one questionnaire, at most fifty when it is made",
    "/surveys/v1/questionnaires/{code}/versions/{version}": "items of one questionnaire",
    "/surveys/v1/scores": "a row an item of one questionnaire",
    "/aggregator/v1/metrics/{metric}": "a point a day of a bounded span",
    "/operator/v1/{service}/audit/verify": "the first hundred findings",
}


async def test_every_body_is_closed():
    """No object in any body takes members that it does not declare."""
    open_ = [
        f"{operation.method} {operation.path}{where}"
        for operation in WITH_BODY
        for where, schema in parts(operation.body)
        if schema.get("type") == "object"
        and schema.get("additionalProperties") is not False
        and not ("patternProperties" in schema and "maxProperties" in schema)
    ]
    assert open_ == []
    assert len(WITH_BODY) > 15


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda one: f"{one.method} {one.path}")
async def test_members_that_are_not_the_callers_to_set_are_refused(bank, operation):
    """Mass assignment: each foreign member is named, and nothing is changed."""
    foreign = {"roles": ["operator"], "units": ["*"], "created_by": "x", "is_admin": True, "tenant": 1}
    declared = resolved(operation.body).get("properties", {}).keys()
    foreign = {name: value for name, value in foreign.items() if name not in declared}
    before = await counts(bank)
    answer = await bank.running.client.request(
        operation.method, operation.target(bank), headers=operation.headers(bank), json=foreign
    )
    assert answer.status_code == 422, answer.text
    named = {error["pointer"] for error in answer.json()["errors"]}
    assert {f"/{name}" for name in foreign} <= named
    assert await counts(bank) == before


async def test_what_the_server_decides_cannot_be_said_by_the_caller(bank):
    for foreign in ({"number": "A999"}, {"status": "served"}, {"issued_at": "2020-01-01T00:00:00Z"}, {"id": "mine"}):
        answer = await bank.running.call(
            "POST", "/queue/v1/branches/gz-001/tickets", "kiosk", units=("gz-001",), json={"service": "cash", **foreign}
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{next(iter(foreign))}")


async def test_every_text_and_every_list_of_a_body_has_a_bound():
    unbounded = []
    for operation in WITH_BODY:
        for where, schema in parts(operation.body):
            text = schema.get("type") == "string" and not schema.keys() & {"maxLength", "enum", "const", "format"}
            many = schema.get("type") == "array" and "maxItems" not in schema
            if text or many:
                unbounded.append(f"{operation.method} {operation.path}{where}")
    assert unbounded == []


async def test_every_list_is_given_in_pages_of_at_most_two_hundred(bank):
    found = set()
    for operation in LISTS:
        shown = operation.about["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        if shown is None:
            continue
        shown = resolved(shown)
        assert shown.get("type") != "array", operation.path
        if not any(resolved(part).get("type") == "array" for part in shown.get("properties", {}).values()):
            continue
        limits = [one["schema"] for one in operation.about.get("parameters", ()) if one["name"] == "limit"]
        if not limits:
            found.add(operation.path)
            continue
        assert (limits[0]["maximum"], limits[0]["default"]) == (200, 50), operation.path
        answer = await bank.running.client.get(
            operation.target(bank), headers=operation.headers(bank), params={"limit": 201}
        )
        assert answer.status_code in {404, 422}, operation.path
    assert found == BOUNDED_OTHERWISE.keys()
    url = "/aggregator/v1/metrics/visits.opened?unit=gz-001&from=1990-01-01&to=2026-03-02"
    assert (await bank.running.call("GET", url, "auditor", units=("*",))).status_code == 422


@asynccontextmanager
async def listener():
    """A server that a forged address leads to: its URL, and what asked there."""
    asked = []

    async def take(reader, writer):
        asked.append(await reader.read(200))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/meta-data", asked


async def test_no_body_has_a_place_for_an_address():
    words = ("url", "uri", "href", "callback", "webhook", "endpoint", "host", "link")
    places = [
        f"{operation.path}{where}"
        for operation in WITH_BODY
        for where, schema in parts(operation.body)
        if str(schema.get("format", "")).startswith("uri") or where.rpartition("/")[2].lower() in words
    ]
    assert places == []


async def test_an_address_in_any_field_header_or_parameter_is_never_called(bank):
    async with listener() as (url, asked):
        sent = 0
        for operation in operations():
            schema = resolved(operation.body) if operation.body else {}
            body = dict.fromkeys(schema.get("properties", {}), url)
            names = [one["name"] for one in operation.about.get("parameters", ()) if one["in"] == "query"]
            headers = operation.headers(bank) | {
                "referer": url, "origin": url, "x-forwarded-host": url, "x-original-url": url,
                "forwarded": f"host={url}", "x-purpose": url, "link": f"<{url}>; rel=preload", "traceparent": url,
            }  # fmt: skip
            answer = await bank.running.client.request(
                operation.method, operation.target(bank), headers=headers, params=dict.fromkeys(names, url),
                json=body if operation.body else None,
            )  # fmt: skip
            assert answer.status_code < 500, (operation.path, answer.text)
            sent += 1
        await bank.running.settle()
        assert sent > 50
        assert asked == []


async def test_a_key_s_address_in_a_token_is_never_called(bank):
    """``jku`` and ``x5u`` say where the signer's key is: only our own key set decides."""
    issuer = bank.running.app.state.issuer
    valid = issuer.issue("teller", sub="T0001", staff_id="T0001", units=["gz-001"])
    claims, header = jwt.decode(valid, options={"verify_signature": False}), jwt.get_unverified_header(valid)
    async with listener() as (url, asked):
        for more in ({"jku": url}, {"x5u": url}, {"jku": url, "kid": "unknown"}, {"kid": url}):
            token = jwt.encode(claims, issuer._key, algorithm="EdDSA", headers=header | more)
            headers = {"authorization": f"Bearer {token}"}
            answer = await bank.running.client.get(f"/queue/v1/visits/{bank.visit['id']}", headers=headers)
            assert answer.status_code in {200, 401}, more
            assert answer.status_code == 401 or "kid" not in more
        assert asked == []


async def test_neither_peers_nor_the_key_set_lead_us_elsewhere():
    """An answer that sends us on is not followed: neither with our token nor without it."""
    async with listener() as (url, asked):
        moved = httpx.MockTransport(lambda request: httpx.Response(307, headers={"location": url}))

        async def token():
            return "secret"

        peers = Peers(httpx.AsyncClient(transport=moved, base_url="http://gateway"), token)
        with pytest.raises(PeerUnavailable):
            await peers.get("/queue/v1/visits/x", purpose="test")
        await peers.close()
        keys = RemoteJwks("http://identity.example/jwks.json", FixedClock(MORNING), transport=moved)
        with pytest.raises(Exception, match=r"."):
            await keys.key("kid")
        assert asked == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b'"text"', b"17", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": "' + b"x" * (2 << 20) + b'"}'],
    ids=["empty", "list", "null", "text", "number", "cut", "no text", "deep", "huge"],
)  # fmt: skip
async def test_a_peer_s_answer_that_is_none_is_not_taken(content):
    """What another service says is not believed blindly: whatever it sends is an answer or a peer that has none."""
    odd = httpx.MockTransport(lambda request: httpx.Response(200, content=content))

    async def token():
        return "secret"

    peers = Peers(httpx.AsyncClient(transport=odd, base_url="http://gateway"), token)
    with pytest.raises(PeerUnavailable):
        await peers.get("/queue/v1/visits/x", purpose="test")
    await peers.close()
