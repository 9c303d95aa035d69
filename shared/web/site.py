"""The pages of a process: who looks, in which language, and how a refusal is shown."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from shared.observability.logging import get_logger
from shared.observability.tracing import trace_id
from shared.security.errors import Forbidden, IdentityUnavailable, Unauthenticated
from shared.security.principal import Principal
from shared.security.scopes import SEATED, DeviceDoor
from shared.web.forms import local_path
from shared.web.handlers import to_problem
from shared.web.headers import page_headers
from shared.web.i18n import COOKIE, TAGS, page_language
from shared.web.problems import IllegalTransition
from shared.web.render import Frame, PageFolder, Renderer
from shared.web.session import IDLE, YEAR, SignedOut, cookie, cookie_name, device_cookie_name

SIGN_IN: Final = "/sign-in"
MODE: Final = "wd_mode"

log = get_logger("pages")


class Site:
    """Every page of this process."""

    def __init__(self, folders: Sequence[PageFolder], over: Path | None = None) -> None:
        self.renderer = Renderer(folders, over)

    async def admit(self, request: Request) -> None:
        """Find out who looks, for the scopes: the principal of a session, or a device by its key."""
        # A part that a page fetches by itself is no act of the person.
        act = "hx-request" not in request.headers or request.method not in ("GET", "HEAD")
        request.scope[SEATED] = await self._who(request, act=act)

    async def seated(self, request: Request) -> bool:
        """Whether the session or the device that ``request`` came with still stands."""
        try:
            return await self._who(request, act=False) is not None
        except IdentityUnavailable:
            return False

    async def _who(self, request: Request, *, act: bool) -> Principal | None:
        secret = request.cookies.get(cookie_name(request))
        if secret and len(secret) <= 64:
            session = await request.app.state.sessions.find(secret, act=act)
            if session is not None:
                principal: Principal = session.principal
                return principal
        door: DeviceDoor | None = getattr(request.app.state, "devices", None)
        key = request.cookies.get(device_cookie_name(request))
        return await door.by_secret(key) if door is not None and key and len(key) <= 64 else None

    def frame(self, request: Request) -> Frame:
        """What the page knows."""
        asked = request.query_params.get("mode") or request.cookies.get(MODE, "")
        return Frame(
            language=page_language(request),
            path=request.url.path,
            query=dict(request.query_params),
            principal=request.scope.get(SEATED),
            now=request.app.state.clock.now(),
            mode="elder" if asked == "elder" else "",
            development=request.app.state.settings.development_sign_in,
            idle_seconds=int(IDLE.total_seconds()),
            fragment=request.headers.get("hx-request") == "true",
        )

    def tag(self, request: Request, shown: str) -> str:
        """The entity tag of a page that shows ``shown``, as this caller would see it."""
        frame = self.frame(request)
        seen = f"{shown}|{frame.language}|{frame.mode}|{frame.fragment}|{self.renderer.assets.build}"
        return f'"{hashlib.sha256(seen.encode()).hexdigest()[:24]}"'

    def html(self, request: Request, name: str, view: Mapping[str, Any], block: str) -> tuple[bytes, dict[str, str]]:
        """A page or a part of it, with the headers it is sent with."""
        frame = self.frame(request)
        headers = page_headers()
        return self.renderer.render(name, frame, view, block), headers | {"content-language": frame.tag}

    def refusal(self, request: Request, error: Exception) -> Response:
        """The API's problem as a page, or as a part for the page's notice; who is not signed in is asked to."""
        problem = to_problem(error)
        if isinstance(problem, Unauthenticated):
            problem = SignedOut()
        if problem.status >= 500:
            log.error("page_failed", code=problem.code, error=type(error).__name__, exc_info=error)
        part = request.headers.get("hx-request") == "true"
        if isinstance(problem, SignedOut) and not part and request.method == "GET":
            return Response(status_code=303, headers={"location": f"{SIGN_IN}?next={quote(_here(request), safe='/')}"})
        frame = self.frame(request)
        document = problem.body(frame.language, trace_id())
        if isinstance(problem, Forbidden | IllegalTransition):
            # Names of scopes, states and acts help who calls the API, not who looks at a page.
            document.pop("detail", None)
        view = {"problem": document, "signed_out": isinstance(problem, SignedOut), "back": _back(request)}
        body, headers = self.html(request, "shared/layout/problem.html", view, "main")
        if part:
            headers |= {"hx-retarget": "#notice", "hx-reswap": "innerHTML", "hx-push-url": "false"}
        return Response(body, problem.status, headers | problem.headers)

    def remember_language(self, request: Request, response: Response) -> Response:
        """Keep what ``?lang`` and ``?mode`` asked for."""
        for name, kept, known in (("lang", COOKIE, set(TAGS)), ("mode", MODE, {"elder", "normal"})):
            asked = request.query_params.get(name)
            if asked in known:
                response.headers.append("set-cookie", cookie(request, kept, asked, lasts=YEAR))
        return response


def _back(request: Request) -> str:
    """The page of ours that a refused form stands on, '' when there is none."""
    came = urlsplit(request.headers.get("referer", ""))
    if request.method == "GET" or came.netloc != request.headers.get("host"):
        return ""
    return local_path(came.path + (f"?{came.query}" if came.query else ""))


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def site(request: Request) -> Site:
    """The site that serves ``request``."""
    found: Site = request.app.state.site
    return found
