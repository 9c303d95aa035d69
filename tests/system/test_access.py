"""Who may call what, over every route of every service: scopes, roles, branches, tokens."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI

from services.registry import load
from shared.app import build_app
from shared.security.issuer import DevelopmentIssuer
from shared.security.principal import Role
from shared.security.route_table import route_access
from shared.settings import Settings
from shared.testing.system import system
from tests.system.small_bank import furnish

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHOUT_TOKEN = {"/livez", "/metrics", "/readyz", "/openapi.json"}
"""Routes for operations and machines; in distributed mode they listen on a port of their own, or hold no data."""


WINDOW_ACTS = ("open", "break", "resume", "close", "call-next")


def table(app: FastAPI):
    return route_access(app.routes)


APP = build_app(load(), Settings())
SCOPED = [row for row in table(APP) if row.scopes and not row.page]
PUBLIC = [row for row in table(APP) if row.public is not None and not row.page]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory):
    async with system(load(), tmp_path_factory.mktemp("access")) as running:
        yield await furnish(running)


def filled(path):
    """The path with something in each parameter."""
    return path.replace("{token}", "A" * 22).replace("{version}", "1").replace("{", "").replace("}", "")


async def send(bank, row, headers):
    answer = await bank.running.client.request(row.method, filled(row.path), headers=headers)
    kind = answer.headers.get("content-type", "")
    assert answer.is_success or kind == "application/problem+json", (row, answer.status_code, kind)
    return answer


async def test_every_route_has_a_scope_or_says_why_it_is_public():
    undecided = {row.path for row in table(APP) if not row.decided}
    assert undecided == WITHOUT_TOKEN
    assert all(len(row.public) > 10 for row in PUBLIC)
    assert len(SCOPED) > 50


async def test_a_new_route_without_a_scope_would_be_noticed():
    router = APIRouter(prefix="/queue/v1")

    @router.get("/forgotten")
    async def forgotten() -> dict[str, str]:
        return {}

    app = build_app(load(), Settings())
    app.include_router(router)
    assert {row.path for row in table(app) if not row.decided} - WITHOUT_TOKEN == {"/queue/v1/forgotten"}


async def test_operations_name_their_scope_in_the_openapi_document():
    paths = APP.openapi()["paths"]
    for row in SCOPED:
        (stated,) = paths[row.path][row.method.lower()]["security"]
        assert tuple(stated["bearer"]) == row.scopes, row
    for row in PUBLIC:
        assert "security" not in paths[row.path][row.method.lower()], row


async def test_no_route_answers_without_a_token(bank):
    for row in SCOPED:
        answer = await send(bank, row, {"idempotency-key": "k"})
        assert (row, answer.status_code, answer.json()["code"]) == (row, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.guide("6.3b")
async def test_every_role_that_a_route_does_not_name_is_refused(bank):
    refused = 0
    for role in Role:
        headers = bank.running.headers(role, staff="T0001", units=("*",))
        for row in SCOPED:
            if role in row.roles:
                continue
            answer = await send(bank, row, headers)
            assert (row, role, answer.status_code) == (row, role, 403)
            assert (answer.json()["code"], answer.json()["scope"]) == ("forbidden", row.scopes[0])
            refused += 1
    assert refused > 150


async def test_every_role_that_a_route_names_passes_its_scope(bank):
    """With nothing in the body and ids that do not exist: whatever is answered, it is neither 401, nor 403 for the
    scope, nor 5xx."""
    for row in SCOPED:
        for role in row.roles:
            answer = await send(bank, row, bank.running.headers(role, staff="T0001", units=("nowhere",)))
            assert answer.status_code not in {401} and answer.status_code < 500, (row, role, answer.text)
            assert answer.status_code != 403 or answer.json()["code"] != "forbidden", (row, role, answer.text)


async def test_public_routes_tell_a_stranger_nothing(bank):
    for row in PUBLIC:
        answer = await send(bank, row, {})
        assert (row, answer.status_code) == (row, 404 if row.method == "GET" else answer.status_code)
        assert 400 <= answer.status_code < 500


@pytest.mark.guide("1.1c")
async def test_another_branch_s_teller_finds_nothing_of_this_branch(bank):
    visit, branch = f"/queue/v1/visits/{bank.visit['id']}", "/queue/v1/branches/gz-001"
    ticket = {"service": "cash"}
    requests = [
        ("GET", visit, "teller", None),
        *(("POST", f"{visit}/{act}", "teller", None) for act in ("recall", "start", "finish", "no-show", "leave")),
        *(("POST", f"{branch}/windows/1/{act}", "teller", None) for act in WINDOW_ACTS),
        *(("GET", f"{branch}/{what}", "teller", None) for what in ("windows", "services", "waiting")),
        ("POST", f"{branch}/tickets", "kiosk", ticket),
        ("POST", f"{branch}/tickets", "app", ticket),
        ("POST", f"{visit}/leave", "kiosk", None),
        ("PUT", f"{branch}/windows/1", "branch_manager", {}),
        ("PUT", f"{branch}/services/cash", "branch_manager", {"offered": False}),
        ("POST", f"{branch}/overrides", "branch_manager", {"staff": "T0001", "qualification": "x", "reason": "y"}),
        ("GET", "/staff/v1/people/T0001", "teller", None),
        ("GET", "/staff/v1/people/T0001/qualifications", "teller", None),
        ("PATCH", "/staff/v1/people/T0001", "branch_manager", {"active": False}),
        ("GET", "/staff/v1/units/gz-001", "teller", None),
        ("GET", "/aggregator/v1/metrics/visits.opened?unit=gz-001&from=2026-03-01&to=2026-03-02", "teller", None),
    ]  # fmt: skip

    async def seen():
        found = await bank.running.call("GET", visit, "auditor", units=("hq",), expect=200)
        hall = await bank.running.call("GET", f"{branch}/windows", "auditor", units=("hq",), expect=200)
        return found.json(), hall.json()

    before = await seen()
    for units in (("gz-002",), ("bj-001",), ("gz-00",), (), ("GZ-001",)):
        for method, path, role, body in requests:
            answer = await bank.running.call(method, path, role, staff="T0002", units=units, json=body)
            assert (method, path, units, answer.status_code) == (method, path, units, 404), answer.text
            assert answer.json()["code"] == "not_found"
    assert await seen() == before
    for units in (("gz-001",), ("gd",), ("hq",), ("bj-001", "gd"), ("*",)):
        await bank.running.call("GET", visit, "teller", staff="T0002", units=units, expect=200)


async def test_what_is_not_there_looks_like_what_is_not_mine(bank):
    mine = await bank.running.call("GET", "/queue/v1/visits/none", "teller", units=("gz-002",), expect=404)
    other = await bank.running.call(
        "GET", f"/queue/v1/visits/{bank.visit['id']}", "teller", units=("gz-002",), expect=404
    )
    differing = {"trace_id", "errors"}
    assert {k: v for k, v in mine.json().items() if k not in differing} == {
        k: v for k, v in other.json().items() if k not in differing
    }


async def test_a_kiosk_opens_no_window(bank):
    headers = bank.running.headers("kiosk", staff="T0001", units=("gz-002",))
    answer = await bank.running.client.post("/queue/v1/branches/gz-002/windows/1/open", headers=headers, json={})
    assert (answer.status_code, answer.json()["scope"]) == (403, "queue:windows:run")


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def forged(bank, tmp_path):
    """Tokens that must not be believed, by what is wrong with them."""
    settings, good = bank.running.app.state.settings, bank.running.app.state.issuer
    about = {"sub": "T0001", "staff_id": "T0001", "units": ["gz-001"]}

    def issuer(folder, name=settings.token_issuer, audience=settings.token_audience):
        return DevelopmentIssuer(folder, name, audience, bank.running.clock)

    keys = settings.data / "keys"
    valid = good.issue("teller", **about)
    head, body, signature = valid.split(".")
    claims = jwt.decode(valid, options={"verify_signature": False})
    header = jwt.get_unverified_header(valid)
    public = good.jwks()["keys"][0]["x"]
    stranger = issuer(tmp_path / "other")
    stranger_key = stranger._key
    return {
        "expired": good.issue("teller", **about, ttl=timedelta(seconds=-31)),
        "wrong audience": issuer(keys, audience="another").issue("teller", **about),
        "wrong issuer": issuer(keys, "https://other.example").issue("teller", **about),
        "other key": stranger.issue("teller", **about),
        "other key under our kid": jwt.encode(claims, stranger_key, algorithm="EdDSA", headers=header),
        "alg none": f"{part(header | {'alg': 'none'})}.{body}.",
        "alg None": f"{part(header | {'alg': 'None'})}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "HS256 by the public key": jwt.encode(claims, public, algorithm="HS256", headers={"kid": header["kid"]}),
        "more units": f"{head}.{part(claims | {'units': ['*']})}.{signature}",
        "another role": f"{head}.{part(claims | {'roles': ['operator']})}.{signature}",
        "cut": valid[:-3],
        "no token": "x",
        "three dots": "..",
    }


async def test_forged_tokens_are_not_believed_on_reads_and_writes(bank, forged):
    visit = f"/queue/v1/visits/{bank.visit['id']}"
    before = (await bank.running.call("GET", visit, "teller", units=("gz-001",), expect=200)).json()
    for what, token in forged.items():
        for method, path in (("GET", visit), ("POST", f"{visit}/recall"), ("GET", "/staff/v1/units")):
            headers = {"authorization": f"Bearer {token}", "idempotency-key": what.replace(" ", "-")}
            answer = await bank.running.client.request(method, path, headers=headers)
            assert (what, path, answer.status_code) == (what, path, 401)
            assert answer.headers["content-type"] == "application/problem+json"
            assert token not in answer.text or len(token) < 3
    assert (await bank.running.call("GET", visit, "teller", units=("gz-001",), expect=200)).json() == before


async def test_other_schemes_and_double_headers_are_not_believed(bank):
    token = bank.running.token("teller", staff="T0001", units=("gz-001",))
    for headers in (
        [("authorization", token)],
        [("authorization", f"Basic {token}")],
        [("authorization", "Bearer")],
        [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")],
        [("cookie", f"token={token}")],
    ):
        answer = await bank.running.client.get(f"/queue/v1/visits/{bank.visit['id']}", headers=headers)
        assert (headers[0][1][:6], answer.status_code) == (headers[0][1][:6], 401)
