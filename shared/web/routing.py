"""One route class: a parameter annotated ``Uow`` makes a write, ``Reads`` a read.

A write opens the unit of work, runs the endpoint, validates and serialises its result once, stores those bytes under
the caller's key, commits, and only then answers. Any error rolls everything back, the key too. (A plain ``yield``
dependency commits after the 2xx has left, and a dependency never sees the response.)
"""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, get_type_hints

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.responses import Response

from shared.db.database import Database
from shared.db.uow import Reads, Uow
from shared.events.crash import crash
from shared.security.principal import Principal
from shared.security.scopes import PRINCIPAL
from shared.web.idempotency import Key, Reply, claim, keep, make_key
from shared.web.problems import KeyRequired, Problem, ProblemBody

KEY_ROLES = frozenset({"app", "kiosk", "integration"})
"""Roles whose every write carries an Idempotency-Key."""

NOT_KEPT: dict[str, Any] = {"x-reply-kept": False}
"""``openapi_extra`` of a write whose reply holds revealed data: it is stored nowhere, so each retry is a call of its
own, logged like the first."""

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
        if unit is not None:
            # The router's prefix is /<service>/v1.
            endpoint = UnitEndpoint(path.split("/")[1], endpoint, hints, unit, options).as_function()
        super().__init__(path, endpoint, **options)


class UnitEndpoint:
    """An endpoint together with the unit of work it runs in."""

    def __init__(
        self, service: str, endpoint: Callable[..., Any], hints: dict[str, Any], unit: str, options: dict[str, Any]
    ) -> None:
        self._service = service
        self._endpoint = endpoint
        self._hints = hints
        self._unit = unit
        self._writes = hints[unit] is Uow
        self._wants_request = "request" in hints
        self._keeps = (options.get("openapi_extra") or {}).get("x-reply-kept", True)
        self._status = options.get("status_code") or 200
        self._shape(hints, options)

    def _shape(self, hints: dict[str, Any], options: dict[str, Any]) -> None:
        """What is answered, as FastAPI is told of it."""
        body = _without_none(hints.get("return"))
        self._adapter = TypeAdapter(body) if body is not None else None
        options["response_model"] = body
        if body is None:
            options["status_code"] = 204
        elif body is not hints.get("return"):
            empty = {204: {"description": "Nothing to return", "model": None}}
            options["responses"] = empty | (options.get("responses") or {})

    def as_function(self) -> Callable[..., Any]:
        """What FastAPI calls: the endpoint's parameters without the unit, and the request."""

        async def wrapped(request: Request, **arguments: Any) -> Response:
            if self._wants_request:
                arguments["request"] = request
            reply = await (self._write if self._writes else self._read)(request, arguments)
            return Response(reply.body, reply.status, reply.headers | {"cache-control": "no-store"})

        given = inspect.signature(self._endpoint).parameters.values()
        asked = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
        others = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=self._hints[p.name])
            for p in given
            if p.name not in (self._unit, "request")
        ]
        return shaped(wrapped, self._endpoint, [asked, *others])

    async def _write(self, request: Request, arguments: dict[str, Any]) -> Reply:
        principal = request.scope.get(PRINCIPAL)
        actor = principal.sub if principal is not None else "anonymous"
        key = await self._key(request, principal) if self._keeps else None
        database = self._database(request)

        async def work(uow: Uow) -> Reply:
            if key is not None and (kept := await claim(uow, key)) is not None:
                return kept
            reply = self._reply(request, await self._endpoint(**{self._unit: uow}, **arguments), uow.headers)
            if key is not None:
                await keep(uow, key, reply)
            crash("write:before-commit")
            return reply

        try:
            reply = await database.write(work, actor=actor, brief=True)
        except Problem as problem:
            told = problem.tell
            if told:
                await database.write(lambda uow: uow.emit_many(told), actor=actor, brief=True)
            raise
        crash("write:after-commit")
        return reply

    async def _read(self, request: Request, arguments: dict[str, Any]) -> Reply:
        async def work(reads: Reads) -> Reply:
            return self._reply(request, await self._endpoint(**{self._unit: reads}, **arguments), reads.headers)

        return await self._database(request).read(work)

    async def _key(self, request: Request, principal: Principal | None) -> Key | None:
        return await _key_of(request, principal)

    def _reply(self, request: Request, value: Any, headers: dict[str, str]) -> Reply:
        if value is None or self._adapter is None:
            return Reply(204, headers, b"")
        body = self._adapter.dump_json(value, by_alias=True)
        return Reply(self._status, {"content-type": "application/json"} | headers, body)

    def _database(self, request: Request) -> Database:
        return request.app.state.services[self._service].db


def shaped(
    wrapper: Callable[..., Any], endpoint: Callable[..., Any], parameters: list[inspect.Parameter]
) -> Callable[..., Any]:
    """``wrapper`` under the endpoint's name, with the parameters that FastAPI is to fill."""
    update_wrapper(wrapper, endpoint, assigned=("__name__", "__doc__", "__module__"), updated=())
    del wrapper.__wrapped__  # type: ignore[attr-defined]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapper


def _without_none(result: Any) -> Any:
    """``T`` of ``T | None``; None for an endpoint that never returns a body."""
    if result is None or result is type(None):
        return None
    arguments = [a for a in getattr(result, "__args__", ()) if a is not type(None)]
    if type(None) in getattr(result, "__args__", ()) and len(arguments) == 1:
        return arguments[0]
    return result


async def _key_of(request: Request, principal: Principal | None) -> Key | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        if principal is not None and principal.roles & KEY_ROLES:
            raise KeyRequired(pointer="/header/idempotency-key")
        return None
    # Without a token the link is the caller: another link's equal key is another key.
    caller = principal.sub if principal is not None else f"link:{request.url.path}"
    target = f"{request.url.path}?{request.url.query}"
    return make_key(request.app.state.keyring, caller, key, request.method, target, await request.body())


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
