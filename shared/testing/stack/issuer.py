"""A development identity server (OpenID Connect) for the distributed system here: anybody signs in as anybody.

It listens on loopback only, sends people back to one address only, and refuses to run with settings of production. Its
people are those of the running system, asked for with a token that the folder's key signs. `run-distributed` starts it;
the bank has its own.
"""

import base64
import hashlib
import hmac
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import escape
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import uvicorn
from fastapi import FastAPI, Form, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from shared.clock import Clock, SystemClock
from shared.ids import token128
from shared.security.issuer import DevelopmentIssuer
from shared.security.jwk import okp_jwk
from shared.security.signing import load_or_create_ed25519
from shared.settings import LOOPBACK, Settings
from shared.testing.stack.people import Branch, Person, people

CODE_LASTS: Final = timedelta(seconds=60)
TOKEN_LASTS: Final = timedelta(minutes=5)
OFFICES: Final = {"head_office": "总行管理", "auditor": "审计", "operator": "运维"}
MARK: Final = ' aria-current="true"'
STYLE: Final = """body{font:16px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:0;background:#f3f5f8;color:#16202c}
main{max-width:60rem;margin:2rem auto;padding:0 1rem;display:grid;gap:1.25rem}
section{background:#fff;border:1px solid #d5dbe3;border-radius:10px;padding:1.25rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:0 0 .75rem}p{margin:.25rem 0;color:#445163}
div,nav{display:flex;flex-wrap:wrap;gap:.6rem}
button,nav a{font:inherit;min-height:44px;padding:.5rem 1rem;border:1px solid #8794a5;border-radius:8px;background:#fff;
color:#16202c;cursor:pointer;text-decoration:none;display:inline-flex;align-items:center;gap:.5rem}
nav a[aria-current]{background:#0b4f9e;color:#fff;border-color:#0b4f9e}button small{color:#445163}
button:hover,nav a:hover{border-color:#0b4f9e}:focus-visible{outline:3px solid #f0a400;outline-offset:2px}"""

Asked = Annotated[str, Query(max_length=1000)]
Sent = Annotated[str, Form(max_length=1000)]
Directory = Callable[[], Awaitable[tuple[list[Branch], str]]]
"""The branches with their people, and the id of the head office."""


class _Code(NamedTuple):
    claims: dict[str, Any]
    challenge: str
    ends: float


class ProductionSettings(RuntimeError):
    """This server is no place for people of a bank."""


def refuse_production(settings: Settings) -> None:
    """Raise :class:`ProductionSettings` unless everything is on this machine, for development."""
    if settings.mode != "embedded":
        raise ProductionSettings("the development identity server does not run with WANGDIAN_MODE=distributed")
    if urlsplit(settings.base_url).hostname not in LOOPBACK or settings.host not in LOOPBACK:
        raise ProductionSettings("the development identity server serves this machine's loopback only")


def development_server(settings: Settings, issuer: str, directory: Directory, clock: Clock) -> FastAPI:
    """The server at the address ``issuer``, for the client and the public address of ``settings``."""
    refuse_production(settings)
    key = load_or_create_ed25519(settings.data / "keys" / "issuer.pem")
    public = okp_jwk(key.public_key())
    client, back = settings.oidc_client, f"{settings.base_url}/sign-in/callback"
    codes: dict[str, _Code] = {}
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=sorted(LOOPBACK - {"::1"}))

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks.json",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/jwks.json")
    async def jwks() -> dict[str, Any]:
        return {"keys": [public]}

    @app.get("/authorize")
    async def choose(
        client_id: Asked, redirect_uri: Asked, state: Asked, nonce: Asked, code_challenge: Asked,
        code_challenge_method: Asked = "", response_type: Asked = "", branch: Asked = "",
    ) -> Response:  # fmt: skip
        kind = (client_id, redirect_uri, response_type, code_challenge_method)
        if kind != (client, back, "code", "S256"):
            return HTMLResponse("<!DOCTYPE html><title>400</title><p>unknown client, address or flow", 400)
        kept = {"state": state, "nonce": nonce, "code_challenge": code_challenge}
        asked = {"client_id": client, "redirect_uri": back, "response_type": "code", "code_challenge_method": "S256"}
        branches, top = await directory()
        return HTMLResponse(_page(branches, top, branch, kept, urlencode(asked | kept)))

    @app.post("/authorize")
    async def chosen(
        state: Sent, nonce: Sent, code_challenge: Sent, role: Sent, unit: Sent, staff: Sent = ""
    ) -> Response:
        now = clock.now().timestamp()
        claims = {
            "sub": staff or f"{role}@{unit}",
            "roles": [role],
            "units": [unit],
            "nonce": nonce,
            "auth_time": int(now),
        }
        code = token128()
        codes[code] = _Code(
            claims | ({"staff_id": staff} if staff else {}), code_challenge, now + CODE_LASTS.total_seconds()
        )
        answer = urlencode({"code": code, "state": state, "iss": issuer})
        return RedirectResponse(f"{back}?{answer}", 303)

    @app.post("/token")
    async def token(grant_type: Sent, code: Sent, redirect_uri: Sent, client_id: Sent, code_verifier: Sent) -> Response:
        now = clock.now().timestamp()
        found = codes.pop(code, None)
        digest = hashlib.sha256(code_verifier.encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = (grant_type, redirect_uri, client_id) == ("authorization_code", back, client)
        if found is None or not fits or now > found.ends or not hmac.compare_digest(proof, found.challenge):
            return JSONResponse({"error": "invalid_grant"}, 400, {"cache-control": "no-store"})
        ends = int(now + TOKEN_LASTS.total_seconds())
        claims = found.claims | {"iss": issuer, "aud": client, "iat": int(now), "exp": ends}
        identity = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": public["kid"]})
        body = {"id_token": identity, "access_token": token128(), "token_type": "Bearer"}  # nosec B105 # the scheme's name
        return JSONResponse(body, 200, {"cache-control": "no-store"})

    return app


def _page(branches: list[Branch], top: str, wanted: str, kept: dict[str, str], asked: str) -> str:
    """Choose a branch, then a person of it; and the offices above."""
    chosen = next((each for each in branches if each.id == wanted), branches[0] if branches else None)
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in kept.items())
    links = "".join(
        f'<a href="/authorize?{escape(asked)}&amp;branch={escape(each.id)}"'
        f"{MARK if each is chosen else ''}>{escape(each.name)} <small>{escape(each.id)}</small></a>"
        for each in branches
    )
    people_of = "".join(_button(hidden, person, chosen.id) for person in chosen.people) if chosen else ""
    if chosen:
        people_of += _button(hidden, Person("", "自助设备 Kiosk", "kiosk"), chosen.id)
    offices = "".join(_button(hidden, Person("", name, role), top) for role, name in OFFICES.items())
    empty = "<p>还没有网点，示例银行正在载入，请稍后刷新。No branch is known yet: the example bank is being loaded.</p>"
    return f"""<!DOCTYPE html>
<html lang="zh-Hans-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>开发用身份认证</title><style>{STYLE}</style></head><body><main>
<header><h1>开发用身份认证 · Development identity server</h1>
<p>任何人都可以任意身份登录，无需密码；仅限本机。Anybody signs in as anybody; on this machine only.</p></header>
<section><h2>网点 · Branch</h2><nav>{links or empty}</nav></section>
<section><h2>{escape(chosen.name) if chosen else ""}</h2><div>{people_of}</div></section>
<section><h2>总行 · Head office</h2><div>{offices}</div></section>
</main></body></html>"""


def _button(hidden: str, person: Person, unit: str) -> str:
    return (
        f'<form method="post" action="/authorize">{hidden}'
        f'<input type="hidden" name="role" value="{escape(person.role)}">'
        f'<input type="hidden" name="unit" value="{escape(unit)}">'
        f'<button name="staff" value="{escape(person.id)}"><strong>{escape(person.name)}</strong>'
        f"<small>{escape(person.role)} {escape(person.id)}</small></button></form>"
    )


def main() -> None:
    """Serve on ``PORT`` for the folder ``WANGDIAN_DATA``; the argument is the running system's inner address."""
    settings = Settings()
    try:
        refuse_production(settings)
    except ProductionSettings as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    clock = SystemClock()
    signer = DevelopmentIssuer(settings.data / "keys", settings.token_issuer, settings.token_audience, clock)

    async def directory() -> tuple[list[Branch], str]:
        token = signer.issue("head_office", sub="development-identity", units=["*"], ttl=timedelta(minutes=1))
        async with httpx.AsyncClient(base_url=sys.argv[1], headers={"authorization": f"Bearer {token}"}) as api:
            return await people(api)

    app = development_server(settings, settings.oidc_issuer, directory, clock)
    uvicorn.run(app, host="127.0.0.1", port=settings.port, access_log=False, server_header=False)


if __name__ == "__main__":
    main()
