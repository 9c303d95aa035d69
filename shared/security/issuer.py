"""The development issuer: signs tokens on this machine, so that the embedded product runs without an identity server.

The distributed mode must refuse to start with it.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import Clock
from shared.ids import uuid7
from shared.security.jwk import VerificationKey, okp_jwk
from shared.security.jwks import StaticJwks
from shared.security.principal import Role
from shared.security.signing import load_or_create_ed25519

DEFAULT_TTL: Final = timedelta(hours=12)
CLIENT: Final = "development"


class DevelopmentIssuer:
    """Signs tokens with the Ed25519 key in ``folder``/issuer.pem, which is created (0600) when it is first needed.

    It is also the :class:`~shared.security.jwks.JwksProvider` of its own key.
    """

    def __init__(self, folder: Path, issuer: str, audience: str, clock: Clock) -> None:
        self._key: Ed25519PrivateKey = load_or_create_ed25519(folder / "issuer.pem")
        self._jwk = okp_jwk(self._key.public_key())
        self._keys = StaticJwks(self.jwks())
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def jwks(self) -> dict[str, Any]:
        """The public key set, as an issuer publishes it."""
        return {"keys": [dict(self._jwk)]}

    async def key(self, kid: str) -> VerificationKey | None:
        """The public key, if ``kid`` names it."""
        return await self._keys.key(kid)

    def issue(
        self,
        roles: str | Iterable[str],
        *,
        sub: str,
        staff_id: str | None = None,
        units: Iterable[str] = (),
        ttl: timedelta = DEFAULT_TTL,
        client: str = CLIENT,
    ) -> str:
        """A signed token, valid from now for ``ttl``. Raises ValueError for a role that does not exist."""
        names = [roles] if isinstance(roles, str) else list(roles)
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
            "jti": uuid7(),
            "client_id": client,
            "roles": sorted(Role(name).value for name in names),
            "units": list(units),
        }
        if staff_id is not None:
            claims["staff_id"] = staff_id
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._jwk["kid"], "typ": "at+jwt"})
