"""The access table of an application: every route with its scope and roles, for the suite's test and the manual."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from shared.security.scopes import Public, Scope


class RouteAccess(NamedTuple):
    """Who may call one operation. Neither ``scopes`` nor ``public`` means that somebody forgot."""

    method: str
    path: str
    scopes: tuple[str, ...]
    roles: frozenset[str]
    public: str | None
    page: bool = False
    """Whether people look at it: a page or what it loads, no operation of the OpenAPI document."""

    @property
    def decided(self) -> bool:
        """Whether exactly one of the two was said: a scope, or public."""
        return bool(self.scopes) is (self.public is None)


def route_access(routes: Sequence[BaseRoute]) -> list[RouteAccess]:
    """The table of ``app.routes``, sorted by path and method, with included routers unfolded.

    ``roles`` are those that pass every scope of the route. Routes without dependencies (plain Starlette routes, mounts,
    web sockets) are listed as undecided, so that none slips through: the caller names those that may stay so.
    """
    table = []
    for context in iter_route_contexts(routes):
        route = context.original_route
        page = isinstance(route, APIRoute) and not route.include_in_schema
        is_api = isinstance(context.original_route, APIRoute)
        calls = [dependant.call for dependant in _flat(context.dependant)] if is_api else []
        scopes = [call for call in calls if isinstance(call, Scope)]
        reason = next((call.public_reason for call in calls if isinstance(call, Public)), None)
        roles = frozenset.intersection(*(found.scope_roles for found in scopes)) if scopes else frozenset()
        names = tuple(found.scope_name for found in scopes)
        methods = {"GET" if method == "HEAD" else method for method in context.methods or {"*"}}
        table += [RouteAccess(method, context.path or "", names, roles, reason, page) for method in methods]
    return sorted(table, key=lambda row: (row.path, row.method))


def _flat(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from _flat(inner)
