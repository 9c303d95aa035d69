"""What every process with pages serves beside them: their files, reports of the browser, the end of a session."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from shared.observability.logging import get_logger
from shared.security.scopes import public
from shared.web.forms import check_origin, local_path
from shared.web.headers import DIRECTIVES
from shared.web.problems import Problem
from shared.web.session import LEFT, YEAR, cookie, cookie_name, guarded, set_cookie
from shared.web.site import site

log = get_logger("pages")
router = APIRouter(include_in_schema=False)
session_router = APIRouter(include_in_schema=False)
"""Acts on sessions: served only where they are kept."""


@router.get("/static/{build}/{name:path}", dependencies=[public("looks and scripts, the same for everybody")])
async def static_file(request: Request, build: str, name: str) -> Response:
    """A file of the pages."""
    return site(request).renderer.assets.reply(request, build, name)


@router.post("/web/csp", status_code=204, dependencies=[public("browsers report without credentials")])
async def csp_report(request: Request) -> Response:
    """A browser refused something on one of our pages: counted by directive, with the directive alone in the log.

    Anybody can send reports, so nothing of their text is kept.
    """
    try:
        report = json.loads(await request.body())["csp-report"]
        named = str(report.get("effective-directive") or report.get("violated-directive", "")).split(" ")[0]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        named = ""
    directive = named.removesuffix("-elem").removesuffix("-attr")
    directive = directive if directive in DIRECTIVES else "other"
    request.app.state.metrics.web.csp(directive)
    log.warning("csp_violation", directive=directive)
    return Response(status_code=204)


@router.get("/web/version", dependencies=[public("the build, for pages that stay open for weeks")])
async def version(request: Request) -> dict[str, str]:
    """The build that is served now."""
    return {"build": site(request).renderer.assets.build}


@session_router.post("/web/session/extend", dependencies=[public("acts on the caller's own cookie alone")])
async def extend(request: Request) -> Response:
    """The person is still there: 204, or 401 when the session has ended."""
    if (refused := _foreign(request)) is not None:
        return refused
    secret = request.cookies.get(cookie_name(request), "")
    found = await request.app.state.sessions.find(secret, act=True) if 0 < len(secret) <= 64 else None
    return Response(status_code=401 if found is None else 204)


@session_router.post("/sign-out", dependencies=[public("acts on the caller's own cookie alone")])
async def sign_out(request: Request, next: Annotated[str, Form(max_length=300)] = "/") -> Response:  # noqa: A002
    """End the session, here and in every tab of this browser."""
    if (refused := _foreign(request)) is not None:
        return refused
    secret = request.cookies.get(cookie_name(request), "")
    if 0 < len(secret) <= 64:
        await request.app.state.sessions.close(secret)
    reply = Response(status_code=303, headers={"location": local_path(next), "clear-site-data": '"cache"'})
    reply.headers.append("set-cookie", set_cookie(request, ""))
    # Whoever sits down next at this browser says who they are, whatever the identity server remembers.
    reply.headers.append("set-cookie", cookie(request, guarded(request, LEFT), "1", lasts=YEAR))
    return reply


def _foreign(request: Request) -> Response | None:
    try:
        check_origin(request)
    except Problem as problem:
        return site(request).refusal(request, problem)
    return None
