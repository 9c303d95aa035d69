"""Scopes at the door of a route: 401, 403, 503 as problems, and the table that finds a route without one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from shared.clock import FixedClock
from shared.security.issuer import DevelopmentIssuer
from shared.security.jwks import KeysUnavailable
from shared.security.principal import Principal
from shared.security.route_table import RouteAccess, route_access
from shared.security.scopes import PRINCIPAL, public, scope
from shared.security.tokens import TokenVerifier
from shared.web.problems import Problem

CLOCK = FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
Issue = Annotated[Principal, scope("queue:tickets:issue", "kiosk", "teller")]
Open = Annotated[Principal, scope("queue:windows:open", "teller")]

router = APIRouter(prefix="/queue/v1")


@router.post("/tickets")
async def issue(actor: Issue, request: Request) -> dict[str, Any]:
    return {"sub": actor.sub, "same": request.scope[PRINCIPAL] is actor}


@router.post("/windows")
async def open_window(actor: Open) -> str:
    return actor.sub


@router.get("/t/{token}", dependencies=[public("holder of the ticket's token")])
async def ticket(token: str) -> str:
    return token


@router.get("/forgotten")
async def forgotten() -> str:
    return ""


async def answer(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    return JSONResponse(problem.body("en", None), problem.status, problem.headers)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    made = FastAPI(openapi_url=None)
    made.add_exception_handler(Problem, answer)
    made.include_router(router)
    made.state.issuer = DevelopmentIssuer(tmp_path, "iss", "wangdian", CLOCK)
    made.state.verifier = TokenVerifier(made.state.issuer, "iss", "wangdian", CLOCK)
    return made


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def bearer(app: FastAPI, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {app.state.issuer.issue(role, sub='u1')}"}


async def test_a_fitting_role_passes(app: FastAPI, http: httpx.AsyncClient) -> None:
    reply = await http.post("/queue/v1/tickets", headers=bearer(app, "kiosk"))
    assert reply.json() == {"sub": "u1", "same": True}


async def test_another_role_is_403_naming_the_scope(app: FastAPI, http: httpx.AsyncClient) -> None:
    reply = await http.post("/queue/v1/windows", headers=bearer(app, "kiosk"))
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    assert reply.json()["scope"] == "queue:windows:open"
    assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]


@pytest.mark.parametrize("value", [None, "Basic dTpw", ""])
async def test_no_token_is_401_with_a_plain_challenge(http: httpx.AsyncClient, value: str | None) -> None:
    reply = await http.post("/queue/v1/tickets", headers={} if value is None else {"Authorization": value})
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Bearer x", "bearer a.b.c", "Bearer ", "Bearer a b", "Bearer \u00e9"])
async def test_a_bad_token_is_401_and_says_so(http: httpx.AsyncClient, value: str) -> None:
    reply = await http.post("/queue/v1/tickets", headers={"Authorization": value.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


async def test_two_authorization_headers_are_refused(app: FastAPI, http: httpx.AsyncClient) -> None:
    good = bearer(app, "kiosk")["Authorization"]
    reply = await http.post("/queue/v1/tickets", headers=[("Authorization", good), ("Authorization", good)])
    assert reply.status_code == 401


async def test_keys_out_of_reach_are_503_and_not_the_callers_fault(app: FastAPI, http: httpx.AsyncClient) -> None:
    class Down:
        async def key(self, kid: str) -> None:
            raise KeysUnavailable

    app.state.verifier = TokenVerifier(Down(), "iss", "wangdian", CLOCK)
    reply = await http.post("/queue/v1/tickets", headers=bearer(app, "kiosk"))
    assert (reply.status_code, reply.json()["code"]) == (503, "identity_unavailable")
    assert reply.headers["retry-after"] == "10"


async def test_a_public_route_needs_no_token(http: httpx.AsyncClient) -> None:
    assert (await http.get("/queue/v1/t/abc")).json() == "abc"


def test_openapi_shows_the_scheme_and_the_scope(app: FastAPI) -> None:
    document = app.openapi()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["components"]["securitySchemes"]["bearer"]["bearerFormat"] == "JWT"
    assert document["paths"]["/queue/v1/tickets"]["post"]["security"] == [{"bearer": ["queue:tickets:issue"]}]
    assert "security" not in document["paths"]["/queue/v1/t/{token}"]["get"]


def test_the_table_finds_the_route_somebody_forgot(app: FastAPI) -> None:
    table = route_access(app.routes)
    assert RouteAccess("POST", "/queue/v1/windows", ("queue:windows:open",), frozenset({"teller"}), None) in table
    assert [row.path for row in table if not row.decided] == ["/queue/v1/forgotten"]
    assert next(row for row in table if row.public).path == "/queue/v1/t/{token}"


@pytest.mark.parametrize("arguments", [("queue", "kiosk"), ("queue:a",), ("queue:a", "emperor"), ("Queue:a", "kiosk")])
def test_a_wrong_scope_fails_at_import(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"scope|Role|admits"):
        scope(*arguments)
