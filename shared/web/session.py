"""Sessions of staff at their browsers (会话): a random cookie, and what it stands for in a row of ours.

What the cookie says is only its own name: who it is, and until when, stands in the row, which ends 15 minutes after the
last act of the person, or by signing out, at once. In embedded mode the rows are in the first service's database; in
distributed mode in that of the one service whose specification says ``keeps_sessions``, and the others ask it
(:mod:`shared.web.sessions_elsewhere`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from starlette.requests import Request

from shared.db.database import Database
from shared.db.statements import insert
from shared.db.tables import web_session
from shared.db.uow import Reads, Uow
from shared.ids import token128
from shared.security.keyring import Keyring
from shared.security.principal import Principal
from shared.web.problems import Problem

IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
YEAR: Final = 31_536_000
"""Seconds that a browser keeps what is to stay."""
LEFT: Final = "wd_left"
"""The cookie that says that somebody signed out at this browser."""
TOUCH: Final = timedelta(seconds=30)
"""An act within this time after the last one that was noted is not noted again."""

_c, _p = web_session.c, sa.bindparam
_OPEN: Final = insert(web_session)
_FIND: Final = sa.select(web_session).where(_c.id == _p("id"))
_TOUCH: Final = sa.update(web_session).where(_c.id == _p("of")).values(seen_at=_p("at"))
_CLOSE: Final = sa.delete(web_session).where(_c.id == _p("of"))
_FORGET: Final = sa.delete(web_session).where(sa.or_(_c.ends_at < _p("at"), _c.seen_at < _p("idle")))


class SignedOut(Problem):
    """No session, or one that has ended: the page asks to sign in."""

    status = 401
    code = "signed_out"
    title_zh = "请先登录"
    title_en = "Please sign in"


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it stands."""

    id: str
    principal: Principal
    seen_at: datetime
    ends_at: datetime

    def over(self, at: datetime) -> bool:
        """Whether it has ended at ``at``, by its length or by idleness."""
        return at >= self.ends_at or at - self.seen_at >= IDLE


class Sessions:
    """The sessions of one process."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._db = database
        self._keys = keyring

    async def open(self, principal: Principal) -> str:
        """A new session for ``principal``; the secret that its cookie holds. Sessions that ended are forgotten."""
        secret = token128()
        session = self._keys.token_hash(secret)

        async def work(uow: Uow) -> None:
            await uow.execute(_FORGET, at=uow.now, idle=uow.now - IDLE)
            await uow.write(
                _OPEN,
                id=session,
                sub=principal.sub,
                staff=principal.staff_id,
                roles=sorted(principal.roles),
                units=list(principal.units),
                created_at=uow.now,
                seen_at=uow.now,
                ends_at=uow.now + LONGEST,
            )
            await uow.audit("session.opened", object_type="session", object_id=session[:12])

        await self._db.write(work, actor=principal.sub, brief=True)
        return secret

    async def find(self, secret: str, *, act: bool) -> Session | None:
        """The session of a cookie, None when there is none or it has ended; ``act`` keeps it from idling out."""
        return await self.by_id(self._keys.token_hash(secret), act=act)

    async def by_id(self, session: str, *, act: bool) -> Session | None:
        """The same by the session's id, the hash of what the cookie holds."""

        async def look(reads: Reads) -> tuple[Session | None, datetime]:
            row = await reads.one(_FIND, id=session)
            return (None if row is None else _session(row)), reads.now

        found, now = await self._db.read(look)
        if found is None or found.over(now):
            return None
        if act and now - found.seen_at >= TOUCH:
            await self._db.write(
                lambda uow: uow.write(_TOUCH, of=session, at=uow.now), actor=found.principal.sub, brief=True
            )
        return found

    async def close(self, secret: str) -> None:
        """End the session of a cookie."""
        session = self._keys.token_hash(secret)
        await self._db.write(lambda uow: uow.write(_CLOSE, of=session), actor="session", brief=True)


def _session(row: sa.Row) -> Session:
    principal = Principal(
        sub=row.sub,
        staff_id=row.staff,
        roles=frozenset(row.roles),
        units=tuple(row.units),
        client="pages",
        expires_at=row.ends_at,
    )
    return Session(row.id, principal, row.seen_at, row.ends_at)


def _secure(request: Request) -> bool:
    """Whether browsers reach us over TLS: by this connection, or at a gateway that ends it before us."""
    return request.url.scheme == "https" or request.app.state.settings.public_url.startswith("https://")


def guarded(request: Request, name: str) -> str:
    """A cookie's name, with the prefix that browsers guard where the connection is secure."""
    return f"__Host-{name}" if _secure(request) else name


def cookie_name(request: Request) -> str:
    """The cookie that holds the session."""
    return guarded(request, "wd_session")


def device_cookie_name(request: Request) -> str:
    """The cookie that holds the key of a device (kiosk, board)."""
    return guarded(request, "wd_device")


def cookie(request: Request, name: str, value: str, *, lasts: int | None = None, site: str = "Lax") -> str:
    """A ``Set-Cookie`` header; ``lasts`` in seconds, None until the browser is closed. An empty value takes it away."""
    ends = "; Max-Age=0" if not value else "" if lasts is None else f"; Max-Age={lasts}"
    secure = "; Secure" if _secure(request) else ""
    return f"{name}={value}; Path=/; HttpOnly; SameSite={site}{ends}{secure}"


def set_device_cookie(request: Request, secret: str) -> str:
    """The header that gives a device its key, for a year."""
    return cookie(request, device_cookie_name(request), secret, lasts=YEAR, site="Strict")


def set_cookie(request: Request, secret: str) -> str:
    """The header that gives the browser its session; an empty secret takes it away."""
    return cookie(request, cookie_name(request), secret)
