"""What a token must say to be believed; pure, after its signature has been checked."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.security.principal import Principal, Role

LEEWAY: Final = timedelta(seconds=30)
REQUIRED: Final = ("sub", "exp", "iat", "iss", "aud", "roles")
_KNOWN_ROLES: Final = frozenset(str(role) for role in Role)
_LONGEST: Final = 255
_LATEST: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second a datetime can hold


class InvalidToken(Exception):
    """A token is refused. ``reason`` is a short code, fit for replies and logs; it never holds a part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def principal_of(claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime) -> Principal:
    """The caller that ``claims`` describe, if they hold at ``now`` (30 s leeway). Raises :class:`InvalidToken`.

    Unknown roles are ignored, so that an issuer may know more than we do; a token without a known role is refused.
    """
    for name in REQUIRED:
        if claims.get(name) is None:
            raise InvalidToken(f"missing_{name}")
    if claims["iss"] != issuer:
        raise InvalidToken("wrong_issuer")
    if audience not in _texts(claims, "aud", single=True):
        raise InvalidToken("wrong_audience")
    expires_at = _instant(claims, "exp")
    if expired(expires_at, now):
        raise InvalidToken("expired")
    if _instant(claims, "iat") > now + LEEWAY:
        raise InvalidToken("issued_in_future")
    if claims.get("nbf") is not None and _instant(claims, "nbf") > now + LEEWAY:
        raise InvalidToken("not_yet_valid")
    roles = frozenset(_texts(claims, "roles")) & _KNOWN_ROLES
    if not roles:
        raise InvalidToken("no_known_role")
    client = claims.get("client_id", claims.get("azp"))
    return Principal(
        sub=_text("sub", claims["sub"]),
        staff_id=None if claims.get("staff_id") is None else _text("staff_id", claims["staff_id"]),
        roles=roles,
        units=tuple(_texts(claims, "units")) if claims.get("units") is not None else (),
        client="" if client is None else _text("client_id", client),
        expires_at=expires_at,
    )


def expired(expires_at: datetime, now: datetime) -> bool:
    """Whether a token that ends at ``expires_at`` is over at ``now``, leeway included."""
    return now - LEEWAY >= expires_at


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"malformed_{name}")
    if not 0 <= value <= _LATEST:
        raise InvalidToken(f"malformed_{name}")
    return datetime.fromtimestamp(value, UTC)


def _texts(claims: Mapping[str, Any], name: str, *, single: bool = False) -> list[str]:
    value = claims[name]
    if single and isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise InvalidToken(f"malformed_{name}")
    return [_text(name, item) for item in value]


def _text(name: str, value: Any) -> str:
    # Control characters would reach log lines, and NUL is refused by PostgreSQL.
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise InvalidToken(f"malformed_{name}")
    return value
