"""One route class: a parameter annotated ``Uow`` makes a write, ``Reads`` a read.

A write opens the unit of work, runs the endpoint, validates and serialises its result once, stores those bytes under
the caller's key, commits, and only then answers. Any error rolls everything back, the key too. (A plain ``yield``
dependency commits after the 2xx has left, and a dependency never sees the response.)
"""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.responses import Response

from shared.db.database import Database
from shared.db.uow import Reads, Uow
from shared.events.crash import crash
from shared.security.scopes import PRINCIPAL
from shared.web.idempotency import Key, Reply, claim, keep, make_key
from shared.web.problems import KeyRequired, Problem, ProblemBody

KEY_ROLES = frozenset({"app", "kiosk", "integration"})
"""Roles whose every write carries an Idempotency-Key."""

NOT_KEPT: dict[str, Any] = {"x-reply-kept": False}
"""``openapi_extra`` of a write whose reply holds revealed data: it is stored nowhere, so each retry is a call of its own,
logged like the first."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "model": ProblemBody,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
    }
    for status, text in (("4XX", "The request cannot be met; the code says why"), ("5XX", "Try again later"))
}


class UnitRoute(APIRoute):
    """See the module. Endpoints are ordinary functions of (unit, principal, parameters) that return a schema.

    Returning None answers 204. ``headers`` of the unit go out with the reply.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = get_type_hints(endpoint, include_extras=True)
        unit = next((name for name, kind in hints.items() if kind is Uow or kind is Reads), None)
        self.unit_kind: type[Reads] | None = hints[unit] if unit else None
        if unit is not None:
            # The router's prefix is /<service>/v1.
            endpoint = _wrap(path.split("/")[1], endpoint, hints, unit, options)
        super().__init__(path, endpoint, **options)


def _wrap(
    service: str, endpoint: Callable[..., Any], hints: dict[str, Any], unit: str, options: dict[str, Any]
) -> Callable[..., Any]:
    result = hints.get("return")
    status = options.get("status_code") or 200
    body_type = _without_none(result)
    adapter = TypeAdapter(body_type) if body_type is not None else None
    options["response_model"] = body_type
    if body_type is None:
        options["status_code"] = 204
    elif body_type is not result:
        options["responses"] = {204: {"description": "Nothing to return", "model": None}} | (
            options.get("responses") or {}
        )
    writes, wants_request = hints[unit] is Uow, "request" in hints
    kept_replies = (options.get("openapi_extra") or {}).get("x-reply-kept", True)

    def reply_of(value: Any, headers: dict[str, str]) -> Reply:
        if value is None or adapter is None:
            return Reply(204, headers, b"")
        return Reply(status, {"content-type": "application/json"} | headers, adapter.dump_json(value, by_alias=True))

    async def write(request: Request, arguments: dict[str, Any]) -> Reply:
        principal = request.scope.get(PRINCIPAL)
        actor = principal.sub if principal is not None else "anonymous"
        # Without a token the link is the caller: another link's equal key is another key.
        caller = actor if principal is not None else f"link:{request.url.path}"
        key = await _key_of(request, caller, principal.roles if principal is not None else frozenset())
        if not kept_replies:
            key = None

        async def work(uow: Uow) -> Reply:
            if key is not None and (kept := await claim(uow, key)) is not None:
                return kept
            value = await endpoint(**{unit: uow}, **arguments)
            reply = reply_of(value, uow.headers)
            if key is not None:
                await keep(uow, key, reply)
            crash("write:before-commit")
            return reply

        database = _database(request, service)
        try:
            reply = await database.write(work, actor=actor)
        except Problem as problem:
            told = problem.tell
            if told:
                await database.write(lambda uow: uow.emit_many(told), actor=actor)
            raise
        crash("write:after-commit")
        return reply

    async def read(request: Request, arguments: dict[str, Any]) -> Reply:
        async def work(reads: Reads) -> Reply:
            return reply_of(await endpoint(**{unit: reads}, **arguments), reads.headers)

        return await _database(request, service).read(work)

    async def wrapped(request: Request, **arguments: Any) -> Response:
        if wants_request:
            arguments["request"] = request
        reply = await (write if writes else read)(request, arguments)
        return Response(reply.body, reply.status, reply.headers | {"cache-control": "no-store"})

    given = inspect.signature(endpoint).parameters
    parameters = [p.replace(annotation=hints[p.name]) for p in given.values() if p.name not in (unit, "request")]
    asked = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    by_name = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    wrapped.__signature__ = inspect.Signature([asked, *by_name])  # type: ignore[attr-defined]
    wrapped.__name__, wrapped.__doc__, wrapped.__module__ = endpoint.__name__, endpoint.__doc__, endpoint.__module__
    return wrapped


def _without_none(result: Any) -> Any:
    """``T`` of ``T | None``; None for an endpoint that never returns a body."""
    if result is None or result is type(None):
        return None
    arguments = [a for a in getattr(result, "__args__", ()) if a is not type(None)]
    if type(None) in getattr(result, "__args__", ()) and len(arguments) == 1:
        return arguments[0]
    return result


async def _key_of(request: Request, caller: str, roles: frozenset[str]) -> Key | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        if roles & KEY_ROLES:
            raise KeyRequired(pointer="/header/idempotency-key")
        return None
    target = f"{request.url.path}?{request.url.query}"
    return make_key(caller, key, request.method, target, await request.body())


def _database(request: Request, service: str) -> Database:
    return request.app.state.services[service].db  # type: ignore[no-any-return]


def ServiceRouter(service: str, tag: str) -> APIRouter:  # noqa: N802 - reads as the class it stands for
    """The router of one feature: ``/<service>/v1``, tagged, with stable operation ids and declared problems."""
    return APIRouter(
        prefix=f"/{service}/v1",
        tags=[f"{service}: {tag}"],
        route_class=UnitRoute,
        responses=PROBLEMS,
        generate_unique_id_function=lambda route: f"{service}_{route.name}",
    )


__all__ = ["KEY_ROLES", "NOT_KEPT", "PROBLEMS", "ServiceRouter", "UnitRoute"]
