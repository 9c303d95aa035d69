"""Bearer tokens: signed JWTs (RFC 7519, profile of RFC 8725) checked against the issuer's keys."""

import hashlib
import json
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from shared.clock import Clock
from shared.security.claims import LEEWAY, InvalidToken, expired, principal_of
from shared.security.jwk import ALGORITHMS, VerificationKey
from shared.security.jwks import JwksProvider
from shared.security.principal import Principal

__all__ = ["LEEWAY", "InvalidToken", "TokenVerifier"]

CACHED: Final = 10_000
_LONGEST: Final = 8192
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class _Verified(NamedTuple):
    principal: Principal
    key: VerificationKey


class TokenVerifier:
    """Turns a bearer token into the :class:`Principal` it proves.

    Signatures are checked once per token: the result is kept under the SHA-256 of the token, at most ``cached`` of
    them, the longest unused leaving first. The expiry, and that the issuer still publishes the key, are checked at
    every call.
    """

    def __init__(self, keys: JwksProvider, issuer: str, audience: str, clock: Clock, cached: int = CACHED) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cached = cached
        self._seen: OrderedDict[bytes, _Verified] = OrderedDict()
        self._jws = PyJWS(algorithms=sorted(ALGORITHMS))

    async def verify(self, token: str) -> Principal:
        """The caller of ``token``.

        Raises :class:`InvalidToken` for every fault of the token, and :class:`KeysUnavailable` where the issuer's keys
        cannot be had. Call it before the unit of work begins: it may wait for the issuer.
        """
        if len(token) > _LONGEST or not token.isascii():
            raise InvalidToken("malformed")
        digest = hashlib.sha256(token.encode()).digest()
        return await self._known(digest) or await self._check(digest, token)

    async def _known(self, digest: bytes) -> Principal | None:
        hit = self._seen.get(digest)
        if hit is None:
            return None
        ends = hit.principal.expires_at
        if ends is None or expired(ends, self._clock.now()):
            self._seen.pop(digest, None)
            raise InvalidToken("expired")
        if await self._keys.key(hit.key.kid) is not hit.key:
            self._seen.pop(digest, None)
            return None
        self._seen[digest] = hit
        self._seen.move_to_end(digest)
        return hit.principal

    async def _check(self, digest: bytes, token: str) -> Principal:
        kid, algorithm = self._header(token)
        key = await self._keys.key(kid)
        if key is None:
            raise InvalidToken("unknown_key")
        if algorithm not in key.algorithms:
            raise InvalidToken("wrong_algorithm")
        claims = self._claims(token, key, algorithm)
        principal = principal_of(claims, issuer=self._issuer, audience=self._audience, now=self._clock.now())
        self._seen[digest] = _Verified(principal, key)
        while len(self._seen) > self._cached:
            self._seen.popitem(last=False)
        return principal

    def _header(self, token: str) -> tuple[str, str]:
        try:
            header = self._jws.get_unverified_header(token)
        except (PyJWTError, ValueError, RecursionError):
            raise InvalidToken("malformed") from None
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise InvalidToken("wrong_algorithm")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise InvalidToken("wrong_type")
        if not isinstance(kid, str) or not kid:
            raise InvalidToken("missing_kid")
        return kid, algorithm

    def _claims(self, token: str, key: VerificationKey, algorithm: str) -> dict[str, Any]:
        try:
            payload = self._jws.decode_complete(token, key.key, algorithms=[algorithm])["payload"]
        except (PyJWTError, ValueError, TypeError):
            raise InvalidToken("bad_signature") from None
        try:
            claims = json.loads(payload)
        except (ValueError, RecursionError):
            raise InvalidToken("malformed") from None
        if not isinstance(claims, dict):
            raise InvalidToken("malformed")
        return claims
