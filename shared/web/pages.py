"""Routes of pages: like those of the API, but what they return is HTML, and who calls is known by a session.

    router = PageRouter(__name__, screens=(Screen("/queue/desk", N_("Teller desk"), N_("Call and serve")),))

    @router.get("/queue/desk")
    async def desk(reads: Reads, actor: RunWindow) -> Page:
        return Page("console.html", windows=...)

    @router.post("/queue/desk/call-next")
    async def call_next(uow: Uow, actor: RunWindow, version: FormVersion = None) -> Page | SeeOther: ...

A write runs in the API's unit of work and under its rules for retries: the form's ``key`` is the idempotency key.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from shared.db.uow import Reads, Uow
from shared.security.principal import Principal
from shared.web.forms import check_origin, form_key
from shared.web.idempotency import Key, Reply, make_key
from shared.web.render import PageFolder, Screen
from shared.web.routing import UnitEndpoint, shaped
from shared.web.site import site

SAFE: Final = frozenset({"GET", "HEAD"})


class Page:
    """What a page's route returns: a template of its feature (or ``shared/…``) and what it shows.

    ``block`` is what is sent where only a part is asked for (htmx); ``headers`` go out with it. ``etag`` names what is
    shown: who has it already gets 304. A page with a status of 400 or more that answers a write undoes the write and is
    not remembered: the form comes back with what is wrong, and is sent again under its new key.
    """

    def __init__(
        self,
        template: str,
        /,
        *,
        status: int = 200,
        block: str = "main",
        headers: dict[str, str] | None = None,
        etag: str = "",
        **view: Any,
    ) -> None:
        self.template, self.status, self.block, self.headers, self.view = template, status, block, headers or {}, view
        self.etag = etag


class SeeOther:
    """What a write returns: go to this page of ours (303), so that a reload repeats nothing."""

    def __init__(self, path: str, headers: dict[str, str] | None = None) -> None:
        self.path, self.headers = path, headers or {}


def answer(request: Request, feature: str, value: "Page | SeeOther", headers: dict[str, str]) -> Reply:
    """The reply of a page."""
    if isinstance(value, SeeOther):
        return Reply(303, headers | value.headers | {"location": value.path}, b"")
    tag = {"etag": site(request).tag(request, value.etag)} if value.etag else {}
    if tag and request.headers.get("if-none-match") == tag["etag"]:
        return Reply(304, tag, b"")
    name = value.template if "/" in value.template else f"{feature}/{value.template}"
    body, kind = site(request).html(request, name, value.view, value.block)
    return Reply(value.status, kind | tag | headers | value.headers, body)


class RefusedPage(Exception):
    """Rolls a write back and is answered as the page that says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class PageEndpoint(UnitEndpoint):
    """A page's endpoint together with the unit of work it runs in."""

    feature = ""

    def _shape(self, hints: dict[str, Any], options: dict[str, Any]) -> None:
        options["response_model"] = None

    async def _key(self, request: Request, principal: Principal | None) -> Key | None:
        caller = principal.sub if principal is not None else f"link:{request.url.path}"
        target = f"{request.url.path}?{request.url.query}"
        # The body is what was typed; whether a whole page or a part is answered makes another request of it.
        part = request.headers.get("hx-request", "").encode()
        body = await request.body()
        return make_key(request.app.state.keyring, caller, await form_key(request), request.method, target, body + part)

    def _reply(self, request: Request, value: Any, headers: dict[str, str]) -> Reply:
        reply = answer(request, self.feature, value, headers)
        if self._writes and reply.status >= 400:
            raise RefusedPage(reply)
        return reply


class PageRoute(APIRoute):
    """See the module; made by :class:`PageRouter`."""

    service = ""
    feature = ""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = inspect.get_annotations(endpoint, eval_str=True)
        unit = next((name for name, kind in hints.items() if kind is Uow or kind is Reads), None)
        options["response_model"] = None
        if unit is not None:
            of_unit = PageEndpoint(self.service, endpoint, hints, unit, options)
            of_unit.feature = self.feature
            endpoint = of_unit.as_function()
        else:
            endpoint = _plain(endpoint, self.feature)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[..., Any]:
        """The handler behind the session: a refusal is a page too."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            pages = site(request)
            try:
                await pages.admit(request)
                if request.method not in SAFE:
                    check_origin(request)
                    # Kept before the form is read from it: the key needs what was sent as well.
                    await request.body()
                response: Response = await handle(request)
            except RefusedPage as refused:
                response = Response(refused.reply.body, refused.reply.status, refused.reply.headers)
            except Exception as error:
                response = pages.refusal(request, error)
            return pages.remember_language(request, response)

        return guarded


def _plain(endpoint: Callable[..., Any], feature: str) -> Callable[..., Any]:
    """An endpoint without a unit of work."""
    given = [p for p in inspect.signature(endpoint, eval_str=True).parameters.values() if p.name != "request"]
    wants = "request" in inspect.signature(endpoint).parameters

    async def wrapped(request: Request, **arguments: Any) -> Response:
        if wants:
            arguments["request"] = request
        value = await endpoint(**arguments)
        if isinstance(value, Response):
            return value
        reply = answer(request, feature, value, {})
        return Response(reply.body, reply.status, reply.headers)

    asked = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    return shaped(wrapped, endpoint, [asked, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in given)])


class PageRouter(APIRouter):
    """The pages of one feature; ``module`` is the ``__name__`` of its ``pages.py``, its files lie in ``web/`` beside.

    Paths are written whole (``/queue/desk``); pages are no part of the OpenAPI document.
    """

    def __init__(self, module: str, *, screens: Sequence[Screen] = (), files: Mapping[str, Path] | None = None) -> None:
        _, service, feature, _ = module.split(".")
        name = f"{service}/{feature}"
        kind = type("PageRouteOfFeature", (PageRoute,), {"service": service, "feature": name})
        super().__init__(route_class=kind, include_in_schema=False)
        folder = Path(str(sys.modules[module].__file__)).parent / "web"
        self.pages = PageFolder(name, folder, screens, files or {})
