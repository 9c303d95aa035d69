"""The documents as pages: routes with Swagger UI, events by ourselves; both without any other host."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response

from services.staff.documents import views
from shared.contracts.asyncapi import asyncapi
from shared.security.scopes import public
from shared.web.i18n import N_
from shared.web.pages import Page, PageRouter
from shared.web.render import Screen

WHOLE: Final = "/openapi.json"


def _swagger() -> dict[str, Path]:
    # Only its files are used; importing the package would bring an application class of its own.
    found = find_spec("fastapi_offline")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the package fastapi-offline is not installed: the documents load Swagger UI from it")
    folder = Path(found.submodule_search_locations[0]) / "static"
    return {name: folder / name for name in ("swagger-ui-bundle.js", "swagger-ui.css")}


router = PageRouter(
    __name__,
    screens=(
        Screen("/docs", N_("Interfaces"), N_("Every route of the API, to read and to try"), order=90),
        Screen("/docs/events", N_("Events"), N_("Every topic and event on the bus"), order=91),
    ),
    files=_swagger(),
)
_OPEN: Final = [public("documents of interfaces hold no data")]


@router.get("/docs", dependencies=_OPEN)
async def api(request: Request, of: Annotated[str, Query(max_length=32)] = "") -> Page:
    """The routes (接口文档). One process serves them all, or each service has its own behind the gateway."""
    documents = documents_of(request.app.state.settings.mode)
    return Page("api.html", documents=documents, address=documents.get(of, next(iter(documents.values()))))


@router.get("/docs/events", dependencies=_OPEN)
async def events() -> Page:
    """The events (事件文档)."""
    return Page("events.html", topics=views.topics(), envelope=views.envelope())


@router.get("/docs/asyncapi.json", dependencies=_OPEN)
async def asyncapi_document() -> Response:
    """The same for programs."""
    return JSONResponse(asyncapi())


def documents_of(mode: str) -> dict[str, Any]:
    """Name to address of the OpenAPI documents."""
    return {"wangdian": WHOLE} if mode == "embedded" else {name: f"/openapi/{name}.json" for name in views.OWNERS}
