"""The start page, and signing in: at the bank's identity server, or as anybody in a development system."""

from typing import Annotated, Any

from fastapi import Form, Query, Request
from starlette.responses import Response

from services.staff.home import attempts, queries, service
from services.staff.home.errors import NoDevelopmentSignIn, NoIdentityServer
from services.staff.home.rules import OFFICES, Persona, claimed
from shared.db.uow import Reads
from shared.observability.logging import get_logger
from shared.security.principal import Principal
from shared.security.scopes import SEATED, public
from shared.web.forms import local_path
from shared.web.oidc import SignInRefused
from shared.web.pages import Page, PageRouter
from shared.web.session import LEFT, cookie, cookie_name, guarded, set_cookie

log = get_logger("sign_in")
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
    if not state.settings.development_sign_in:
        raise NoDevelopmentSignIn
    who: Persona = await state.services["staff"].db.read(
        lambda reads: service.persona(reads, role, unit, staff or None)
    )
    principal = Principal(who.sub, who.staff, frozenset({who.role}), (who.unit,))
    secret = await state.sessions.open(principal)
    return Response(status_code=303, headers={"location": local_path(next), "set-cookie": set_cookie(request, secret)})


@router.get("/sign-in/bank", dependencies=[public("leads to the bank's identity server")])
async def begin(request: Request, next: Annotated[str, Query(max_length=300)] = "/") -> Response:  # noqa: A002
    """Go to the bank's identity server (统一身份认证), with what binds its answer to this browser in a cookie.

    Whoever comes to a browser at which somebody signed out, or whose session ended, must say anew who they are.
    """
    state = request.app.state
    if state.oidc is None:
        raise NoIdentityServer
    now = state.clock.now()
    anew = guarded(request, LEFT) in request.cookies or cookie_name(request) in request.cookies
    held = attempts.begin(now, local_path(next), anew=anew)
    begun = attempts.read(state.keyring, held, now)
    if begun is None:
        raise NoIdentityServer
    reply = Response(status_code=303, headers={"location": await state.oidc.address(begun.attempt)})
    lasts = int(attempts.LASTS.total_seconds())
    reply.headers.append("set-cookie", cookie(request, guarded(request, attempts.COOKIE), held, lasts=lasts))
    return reply


@router.get("/sign-in/callback", dependencies=[public("whom the identity server sends back")])
async def come_back(request: Request) -> Page | Response:
    """Open a session for whom the identity server vouches; else say that nobody was signed in."""
    state = request.app.state
    if state.oidc is None:
        raise NoIdentityServer
    used = guarded(request, attempts.COOKIE)
    begun = attempts.read(state.keyring, request.cookies.get(used, ""), state.clock.now())
    try:
        if begun is None:
            raise SignInRefused("no_attempt")
        who = claimed(await state.oidc.claims(begun.attempt, request.query_params), state.settings.oidc_claims)
        principal: Principal = await state.services["staff"].db.read(lambda reads: service.seat(reads, who))
    except SignInRefused as refused:
        log.warning("sign_in_refused", reason=refused.reason)
        wanted = begun.next if begun is not None else "/"
        over = {"set-cookie": cookie(request, used, "")}
        return Page("refused.html", status=403, headers=over, reason=refused.reason, next=wanted)
    if old := request.cookies.get(cookie_name(request)):
        await state.sessions.close(old)
    secret = await state.sessions.open(principal)
    reply = Response(status_code=303, headers={"location": begun.next})
    for header in (set_cookie(request, secret), cookie(request, used, ""), cookie(request, guarded(request, LEFT), "")):
        reply.headers.append("set-cookie", header)
    return reply


async def _view(reads: Reads, request: Request, unit: str, next: str = "") -> dict[str, Any]:  # noqa: A002
    principal: Principal | None = request.scope[SEATED]
    branches = await reads.all(queries.BRANCHES)
    own = principal.units[0] if principal is not None and principal.units else ""
    known = {row.id: row for row in branches}
    chosen = next_in(known, unit, own)
    development = request.app.state.settings.development_sign_in
    return {
        "branches": branches,
        "chosen": known.get(chosen),
        "top": await reads.one(queries.TOP),
        "people": await reads.all(queries.PEOPLE_OF, unit=chosen) if development else [],
        "offices": OFFICES,
        "own": await reads.one(queries.UNIT, unit=own) if own else None,
        "next": local_path(next),
        "identity_server": request.app.state.oidc is not None,
    }


def next_in(known: dict[str, Any], *wanted: str) -> str:
    """The first of ``wanted`` that is known, else the first known, else ''."""
    return next((unit for unit in (*wanted, *known) if unit in known), "")
