"""A bank's identity server in a test's hands, and a browser before our front door."""

import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import FixedClock
from shared.security.jwk import okp_jwk

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ISSUER = "https://identity.bank.example"
PUBLIC = "https://wangdian.bank.example"
CLIENT = "wangdian-pages"
BACK = f"{PUBLIC}/sign-in/callback"


class Server(httpx.AsyncBaseTransport):
    """The bank's identity server in the test's hands: ``says`` replaces claims, ``header`` parts of a token's head."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.key = Ed25519PrivateKey.generate()
        self.keys = [okp_jwk(self.key.public_key())]
        self.document: dict[str, object] = {}
        self.says: dict[str, object] = {}
        self.header: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.down = False
        self.asked: list[str] = []

    def authorise(self, location: str, code: str = "c0de") -> dict[str, str]:
        """The person signs in; the query that the browser comes back with."""
        asked = dict(parse_qsl(urlsplit(location).query))
        assert location.startswith(f"{ISSUER}/authorize?")
        assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == (CLIENT, BACK, "code")
        assert asked["code_challenge_method"] == "S256"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": ISSUER}

    def token(self, asked: dict[str, str]) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER, "aud": CLIENT, "sub": "u-17", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "auth_time": now, "roles": ["teller"], "units": ["gz-001"],
        } | self.says  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.header.get("alg") == "none":
            return jwt.encode(claims, None, algorithm="none", headers={"kid": self.keys[0]["kid"]})
        kid = okp_jwk(self.key.public_key())["kid"]
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": kid} | self.header)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.down:
            raise httpx.ConnectError("down")
        if request.url.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            document = {name: f"{ISSUER}/{path}" for name, path in names.items()} | {"issuer": ISSUER}
            return httpx.Response(200, json=document | self.document)
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": self.keys})
        form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
        asked = self.codes.pop(form["code"], None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        if asked is None or asked["code_challenge"] != challenge or form["redirect_uri"] != BACK:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json={"id_token": self.token(asked), "access_token": "x", "token_type": "Bearer"})


class Bank:
    """The front door behind TLS, its identity server, and a browser."""

    def __init__(self, running, server, clock) -> None:
        self.running, self.server, self.clock = running, server, clock
        self.browser = self.another()

    def another(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.running.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC)

    async def begin(self, wanted="/queue/desk", browser=None) -> str:
        """Press the button; where the browser is sent."""
        reply = await (browser or self.browser).get("/sign-in/bank", params={"next": wanted})
        assert reply.status_code == 303
        return reply.headers["location"]

    async def come_back(self, query, browser=None) -> httpx.Response:
        return await (browser or self.browser).get("/sign-in/callback", params=query)

    async def sign_in(self, wanted="/queue/desk") -> httpx.Response:
        return await self.come_back(self.server.authorise(await self.begin(wanted)))

    async def who(self, browser=None):
        """The principal of the browser's session, None without one."""
        secret = (browser or self.browser).cookies.get("__Host-wd_session")
        found = await self.running.app.state.sessions.find(secret, act=False) if secret else None
        return None if found is None else found.principal
