"""Scopes: who may call a route, written in its signature and readable by machines (权限范围).

    IssueTickets = Annotated[Principal, scope("queue:tickets:issue", "kiosk", "teller")]

The dependency is itself the OpenAPI security scheme, so a route pays for one dependency and its operation names the
scope under ``security``.
"""

import re
from typing import Any, Final, Protocol

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from shared.security.claims import InvalidToken
from shared.security.errors import Forbidden, IdentityUnavailable, Unauthenticated
from shared.security.jwks import KeysUnavailable
from shared.security.principal import DEVICE_TOKEN, Principal, Role
from shared.security.tokens import TokenVerifier

SCHEME: Final = "bearer"
PRINCIPAL: Final = "wangdian.principal"
SEATED: Final = "wangdian.seated"
"""Where the route of a page leaves whom its session stands for; no other route looks for a session."""
_NAME: Final = re.compile(r"[a-z]+(?::[a-z][a-z_-]*){1,3}")
_MODEL: Final = HTTPBearerModel(bearerFormat="JWT", description="OAuth 2.0 access token, a signed JWT")


class DeviceDoor(Protocol):
    """Who lets the bank's own devices in: ``app.state.devices``, of the service that enrols them, None elsewhere.

    Each call looks the device up, so that a revoked one is out at once.
    """

    async def by_secret(self, secret: str) -> Principal | None:
        """The device whose key this is."""
        ...

    async def by_token(self, token: str) -> Principal | None:
        """The device whose short token this is."""
        ...


class Scope(SecurityBase):
    """The dependency of a route that needs a scope: answers the caller, or raises 401, 403 or 503 as a problem.

    Reads ``app.state.verifier`` (:class:`TokenVerifier`) and leaves the caller in the ASGI scope under
    :data:`PRINCIPAL`, where the write route, the logs and the metrics find it.
    """

    def __init__(self, name: str, roles: frozenset[str]) -> None:
        self.model = _MODEL
        self.scheme_name = SCHEME
        self.scope_name = name
        self.scope_roles = roles

    async def __call__(self, request: Request) -> Principal:
        """The caller, if one of its roles carries this scope."""
        principal = await authenticate(request)
        if principal.roles.isdisjoint(self.scope_roles):
            raise Forbidden.scope(self.scope_name)
        return principal


class Public:
    """The dependency of a route that needs no token, with the reason why."""

    def __init__(self, reason: str) -> None:
        self.public_reason = reason

    async def __call__(self) -> None:
        """Admit everybody."""


def scope(name: str, *roles: str) -> Any:
    """The marker ``Annotated[Principal, scope("service:thing:verb", "role", …)]``.

    Raises ValueError at import for a name of another form, for no role and for a role that does not exist.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a scope is written service:thing:verb, not {name!r}")
    if not roles:
        raise ValueError(f"the scope {name} admits nobody")
    return Security(Scope(name, frozenset(Role(role).value for role in roles)), scopes=[name])


def public(reason: str) -> Any:
    """The marker of a route without a token: ``dependencies=[public("holder of the ticket's token")]``."""
    return Depends(Public(reason))


async def authenticate(request: Request) -> Principal:
    """The caller of ``request`` whatever its roles. Raises 401 or 503 as a problem."""
    if SEATED in request.scope:
        seated: Principal | None = request.scope[SEATED]
        if seated is None:
            raise Unauthenticated.missing()
        request.scope[PRINCIPAL] = seated
        return seated
    verifier: TokenVerifier = request.app.state.verifier
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Unauthenticated.missing()
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated.missing()
    # Two Authorization headers let a proxy and us believe different callers.
    if len(headers) > 1 or not token.strip():
        raise Unauthenticated.invalid("malformed")
    if token.startswith(DEVICE_TOKEN):
        door: DeviceDoor | None = getattr(request.app.state, "devices", None)
        device = None if door is None or len(token) > 64 else await door.by_token(token.strip())
        if device is None:
            raise Unauthenticated.invalid("unknown_device")
        request.scope[PRINCIPAL] = device
        return device
    try:
        principal = await verifier.verify(token.strip())
    except InvalidToken as refused:
        raise Unauthenticated.invalid(refused.reason) from None
    except KeysUnavailable:
        raise IdentityUnavailable.now() from None
    request.scope[PRINCIPAL] = principal
    return principal
