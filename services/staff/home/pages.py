"""The start page, and the development sign-in on it."""

from typing import Annotated, Any

from fastapi import Form, Query, Request
from starlette.responses import Response

from services.staff.home import queries, service
from services.staff.home.errors import NoDevelopmentSignIn
from services.staff.home.rules import OFFICES, Persona
from shared.db.uow import Reads
from shared.security.principal import Principal
from shared.security.scopes import SEATED, public
from shared.web.forms import local_path
from shared.web.pages import Page, PageRouter
from shared.web.session import set_cookie

router = PageRouter(__name__)


@router.get("/", dependencies=[public("the front door of the system")])
async def start(reads: Reads, request: Request, unit: Annotated[str, Query(max_length=64)] = "") -> Page:
    """What this is, who you are, and every screen (首页)."""
    return Page("start.html", **await _view(reads, request, unit))


@router.get("/sign-in", dependencies=[public("whoever is not signed in comes here")])
async def sign_in(
    reads: Reads,
    request: Request,
    unit: Annotated[str, Query(max_length=64)] = "",
    next: Annotated[str, Query(max_length=300)] = "/",  # noqa: A002
) -> Page:
    """Choose who to be (登录)."""
    return Page("sign_in.html", **await _view(reads, request, unit, next))


@router.post("/sign-in", dependencies=[public("development sign-in; refused outside of embedded mode")])
async def development_sign_in(
    request: Request,
    unit: Annotated[str, Form(max_length=64)],
    role: Annotated[str, Form(max_length=32)] = "",
    staff: Annotated[str | None, Form(max_length=64)] = None,
    next: Annotated[str, Form(max_length=300)] = "/",  # noqa: A002
) -> Response:
    """Open a session as a person, an office or a machine of the example bank."""
    state = request.app.state
    if state.settings.mode != "embedded":
        raise NoDevelopmentSignIn
    who: Persona = await state.services["staff"].db.read(
        lambda reads: service.persona(reads, role, unit, staff or None)
    )
    principal = Principal(who.sub, who.staff, frozenset({who.role}), (who.unit,))
    secret = await state.sessions.open(principal)
    return Response(status_code=303, headers={"location": local_path(next), "set-cookie": set_cookie(request, secret)})


async def _view(reads: Reads, request: Request, unit: str, next: str = "") -> dict[str, Any]:  # noqa: A002
    principal: Principal | None = request.scope[SEATED]
    branches = await reads.all(queries.BRANCHES)
    own = principal.units[0] if principal is not None and principal.units else ""
    known = {row.id: row for row in branches}
    chosen = next_in(known, unit, own)
    development = request.app.state.settings.mode == "embedded"
    return {
        "branches": branches,
        "chosen": known.get(chosen),
        "top": await reads.one(queries.TOP),
        "people": await reads.all(queries.PEOPLE_OF, unit=chosen) if development else [],
        "offices": OFFICES,
        "own": await reads.one(queries.UNIT, unit=own) if own else None,
        "next": local_path(next),
    }


def next_in(known: dict[str, Any], *wanted: str) -> str:
    """The first of ``wanted`` that is known, else the first known, else ''."""
    return next((unit for unit in (*wanted, *known) if unit in known), "")
