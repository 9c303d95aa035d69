"""Signing in at the bank's identity server: OpenID Connect's code flow with PKCE, from our side (统一身份认证).

Where the server's addresses and keys are is read from its discovery document; a key set that changes is read anew. What
comes back is believed only if it was signed by one of these keys, for us, for this attempt, and just now.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import httpx
import jwt
from jwt.exceptions import InvalidAudienceError, InvalidIssuerError, PyJWTError

from shared.clock import Clock
from shared.security.claims import LEEWAY
from shared.security.errors import IdentityUnavailable
from shared.security.jwk import ALGORITHMS
from shared.security.jwks import KeysUnavailable, RemoteJwks
from shared.settings import Settings, trusted_url

READ_AGAIN: Final = timedelta(hours=1)
"""How long the discovery document is used; a server that moves its addresses is followed within this time."""
RECENT: Final = 60
"""Seconds (``max_age``): how old a sign-in at the server may be where the person must say anew who they are."""
_TIMEOUT: Final = 5.0
_LARGEST: Final = 1 << 18
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInRefused(Exception):
    """What came back from the identity server is not believed; ``reason`` is a short code without any of its text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Attempt(NamedTuple):
    """What binds an answer to one attempt of one browser: all are unguessable, and known to us and the browser only.

    ``begun`` is when it began; ``anew``: the person must say who they are, even if the server remembers them.
    """

    state: str
    nonce: str
    verifier: str
    begun: datetime
    anew: bool


class Provider:
    """The bank's identity server; ``transport`` replaces the network in tests."""

    def __init__(self, settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._document: Mapping[str, Any] = {}
        self._read_at: datetime | None = None
        self._keys: RemoteJwks | None = None
        self._reading = asyncio.Lock()

    @property
    def callback(self) -> str:
        """Where the server sends people back to: as it is registered there, never what a request calls us."""
        return f"{self._settings.base_url}/sign-in/callback"

    async def address(self, attempt: Attempt) -> str:
        """Where the browser is sent to sign in. Raises :class:`IdentityUnavailable`."""
        document = await self._discovered()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client,
            "redirect_uri": self.callback,
            "scope": self._settings.oidc_scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if attempt.anew:
            query |= {"prompt": "login", "max_age": str(RECENT)}
        endpoint = str(document["authorization_endpoint"])
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(query)

    async def claims(self, attempt: Attempt, answer: Mapping[str, str]) -> dict[str, Any]:
        """Who the server says that the person is; ``answer`` is the query that the browser came back with.

        Raises :class:`SignInRefused`, and :class:`IdentityUnavailable` where the server cannot be asked.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInRefused("wrong_state")
        document = await self._discovered()
        issuer = answer.get("iss")
        if issuer is None and document.get("authorization_response_iss_parameter_supported") is True:
            raise SignInRefused("wrong_issuer")
        if issuer is not None and issuer != self._settings.oidc_issuer:
            raise SignInRefused("wrong_issuer")
        if "error" in answer:
            raise SignInRefused("denied" if answer["error"] == "access_denied" else "refused_by_server")
        code = answer.get("code", "")
        if not code:
            raise SignInRefused("no_code")
        return await self._judge(await self._exchange(str(document["token_endpoint"]), code, attempt), attempt)

    async def _exchange(self, endpoint: str, code: str, attempt: Attempt) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": attempt.verifier,
            "client_id": self._settings.oidc_client,
        }
        secret = self._settings.oidc_secret_file
        auth = None
        if secret:
            known = (await asyncio.to_thread(Path(secret).read_text, "utf-8")).strip()
            auth = httpx.BasicAuth(self._settings.oidc_client, known)
        reply = await self._call("POST", endpoint, data=form, auth=auth)
        if 400 <= reply.status_code < 500:
            raise SignInRefused("code_refused")
        token = _object(reply).get("id_token")
        if not isinstance(token, str) or not 0 < len(token) <= 16_384:
            raise SignInRefused("no_identity")
        return token

    async def _judge(self, token: str, attempt: Attempt) -> dict[str, Any]:
        """The claims of an ID token that holds (OpenID Connect Core §3.1.3.7)."""
        claims = await self._verified(token)
        now = self._clock.now()
        for name in ("sub", "nonce"):
            if not isinstance(claims.get(name), str) or not claims[name]:
                raise SignInRefused(f"missing_{name}")
        if not hmac.compare_digest(claims["nonce"].encode(), attempt.nonce.encode()):
            raise SignInRefused("wrong_nonce")
        for_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if for_others else self._settings.oidc_client) != self._settings.oidc_client:
            raise SignInRefused("wrong_audience")
        if now.timestamp() - LEEWAY.total_seconds() >= _seconds(claims, "exp"):
            raise SignInRefused("expired")
        for name in ("iat", "nbf") if "nbf" in claims else ("iat",):
            if _seconds(claims, name) > now.timestamp() + LEEWAY.total_seconds():
                raise SignInRefused("issued_in_future")
        # What somebody else's session at the server would have answered is not enough.
        oldest = attempt.begun.timestamp() - RECENT - LEEWAY.total_seconds()
        if attempt.anew and _seconds(claims, "auth_time") < oldest:
            raise SignInRefused("not_anew")
        return claims

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError, RecursionError):
            raise SignInRefused("malformed") from None
        kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ", "JWT")
        if algorithm not in ALGORITHMS:
            raise SignInRefused("wrong_algorithm")
        # An access token of the same server is no identity.
        if not isinstance(kind, str) or kind.lower() != "jwt" or not isinstance(kid, str):
            raise SignInRefused("wrong_type")
        keys = await self._key_set()
        try:
            key = await keys.key(kid)
        except KeysUnavailable:
            raise IdentityUnavailable.now() from None
        if key is None:
            raise SignInRefused("unknown_key")
        if algorithm not in key.algorithms:
            raise SignInRefused("wrong_algorithm")
        try:
            # Times are judged by our own clock, above.
            return jwt.decode(
                token, key.key, algorithms=[algorithm], audience=self._settings.oidc_client,
                issuer=self._settings.oidc_issuer, options={"require": ["iss", "aud", "exp", "iat", "sub"],
                "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )  # fmt: skip
        except InvalidAudienceError:
            raise SignInRefused("wrong_audience") from None
        except InvalidIssuerError:
            raise SignInRefused("wrong_issuer") from None
        except (PyJWTError, ValueError, TypeError, RecursionError):
            raise SignInRefused("bad_token") from None

    async def _key_set(self) -> RemoteJwks:
        await self._discovered()
        if self._keys is None:
            raise IdentityUnavailable.now()
        return self._keys

    async def _discovered(self) -> Mapping[str, Any]:
        """The discovery document, read again after an hour; while it cannot be read, the one that is known serves."""
        async with self._reading:
            now = self._clock.now()
            if self._read_at is None or now - self._read_at >= READ_AGAIN:
                try:
                    fresh = await self._discover()
                except IdentityUnavailable:
                    if self._read_at is None:
                        raise
                    return self._document
                if self._keys is None or fresh["jwks_uri"] != self._document.get("jwks_uri"):
                    self._keys = RemoteJwks(str(fresh["jwks_uri"]), self._clock, self._transport)
                self._document, self._read_at = fresh, now
            return self._document

    async def _discover(self) -> dict[str, Any]:
        issuer = self._settings.oidc_issuer
        reply = await self._call("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        document = _object(reply)
        methods = document.get("code_challenge_methods_supported", ["S256"])
        usable = isinstance(methods, list) and "S256" in methods
        if document.get("issuer") != issuer or not usable:
            raise IdentityUnavailable.now()
        if not all(isinstance(document.get(name), str) and trusted_url(document[name]) for name in _ADDRESSES):
            raise IdentityUnavailable.now()
        return document

    async def _call(self, method: str, url: str, **request: Any) -> httpx.Response:
        """An answer that is no fault of the server; follows no redirect. These calls are rare: each has its client."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, transport=self._transport) as client:
                reply = await client.request(method, url, headers={"accept": "application/json"}, **request)
        except httpx.HTTPError:
            raise IdentityUnavailable.now() from None
        if reply.status_code >= 500 or 300 <= reply.status_code < 400:
            raise IdentityUnavailable.now()
        return reply


def _object(reply: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; anything else is a fault of the server."""
    if reply.status_code != 200 or len(reply.content) > _LARGEST:
        raise IdentityUnavailable.now()
    try:
        found = reply.json()
    except (ValueError, RecursionError):
        raise IdentityUnavailable.now() from None
    if not isinstance(found, dict):
        raise IdentityUnavailable.now()
    return found


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignInRefused(f"missing_{name}")
    return float(value)
