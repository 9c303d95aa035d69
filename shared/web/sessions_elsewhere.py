"""Sessions as a process sees them that does not keep them (distributed mode): asked for, and believed for a short time.

One service keeps the sessions; the pages of all others ask it who sits behind a cookie, by the hash of the cookie's
secret. An answer is believed for :data:`FRESH`, so signing out is effective everywhere within that time. While the
keeper does not answer, a session that is known here goes on for at most :data:`LONGEST_ALONE`: a branch is not to stand
still because one service restarts.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.clock import Clock
from shared.security.errors import IdentityUnavailable
from shared.security.keyring import Keyring
from shared.security.principal import Principal
from shared.web.client import Peers, PeerUnavailable
from shared.web.session import TOUCH, Session

FRESH: Final = timedelta(seconds=10)
"""How long an answer is believed: the longest that a page still opens after its person signed out elsewhere."""
LONGEST_ALONE: Final = timedelta(minutes=5)
PATIENCE: Final = 2.0
"""Seconds that somebody whose session is known waits for a keeper that does not answer."""
SILENT: Final = timedelta(seconds=5)
"""How long a keeper that did not answer is not asked about those who are known."""
KEPT: Final = 20_000
"""Sessions remembered by one process; the longest unused leave first."""

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="The hash of what the cookie holds")]


class SessionState(BaseModel):
    """A session that stands, as its keeper tells it."""

    model_config = ConfigDict(json_schema_extra={"example": {
        "id": "0Yy3vWlNnzJ6zJrXwYkCkq9gYc5mJbqv1dV9o2xT4hE", "sub": "T0001", "staff": "T0001", "roles": ["teller"],
        "units": ["gz-001"], "seen_at": "2026-03-02T04:00:00Z", "ends_at": "2026-03-02T16:00:00Z",
    }})  # fmt: skip

    id: str
    sub: str
    staff: str | None
    roles: list[str]
    units: list[str]
    seen_at: AwareDatetime
    ends_at: AwareDatetime

    @classmethod
    def of(cls, session: Session) -> "SessionState":
        """The keeper's side."""
        who = session.principal
        return cls(
            id=session.id, sub=who.sub, staff=who.staff_id, roles=sorted(who.roles), units=list(who.units),
            seen_at=session.seen_at, ends_at=session.ends_at,
        )  # fmt: skip

    def session(self) -> Session:
        """The asking side."""
        who = Principal(self.sub, self.staff, frozenset(self.roles), tuple(self.units), "pages", self.ends_at)
        return Session(self.id, who, self.seen_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class _Known:
    session: Session
    asked_at: datetime


class SessionsElsewhere:
    """What :class:`shared.web.session.Sessions` is to the keeper, to everybody else."""

    def __init__(self, peers: Peers, keyring: Keyring, clock: Clock) -> None:
        self._peers = peers
        self._keys = keyring
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._silent_until: datetime | None = None

    async def find(self, secret: str, *, act: bool) -> Session | None:
        """The session of a cookie, None when there is none or it has ended; ``act`` keeps it from idling out.

        Raises :class:`IdentityUnavailable` where nobody can say.
        """
        session = self._keys.token_hash(secret)
        known, now = self._known.get(session), self._clock.now()
        if known is not None and self._fresh(known, now, act=act):
            self._known.move_to_end(session)
            return known.session
        if known is None or now - known.asked_at >= LONGEST_ALONE or known.session.over(now):
            try:
                return await self._fetch(session, act=act)
            except PeerUnavailable:
                raise IdentityUnavailable.now() from None
        if self._silent_until is not None and now < self._silent_until:
            return known.session
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._fetch(session, act=act)
        except (PeerUnavailable, TimeoutError):
            self._silent_until = self._clock.now() + SILENT
            return known.session

    @staticmethod
    def _fresh(known: _Known, now: datetime, *, act: bool) -> bool:
        noted = not act or now - known.session.seen_at < TOUCH
        return now - known.asked_at < FRESH and not known.session.over(now) and noted

    async def _fetch(self, session: str, *, act: bool) -> Session | None:
        asked_at = self._clock.now()
        path = f"/staff/v1/sessions/{session}" + ("?act=true" if act else "")
        answer = await self._peers.get(path, purpose="session")
        if answer is None:
            self._known.pop(session, None)
            return None
        try:
            found = SessionState.model_validate(answer).session()
        except ValidationError as error:
            raise PeerUnavailable("staff: the answer is no session") from error
        self._known[session] = _Known(found, asked_at)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found
