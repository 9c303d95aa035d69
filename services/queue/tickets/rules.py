"""The states of a visit; whatever is not listed here is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.arithmetic import whole_seconds
from shared.contracts.queue import Channel
from shared.contracts.queue import VisitStatus as S

MOVES: Final[Mapping[str, tuple[frozenset[S], S]]] = {
    "recall": (frozenset({S.CALLED}), S.CALLED),
    "start": (frozenset({S.CALLED}), S.SERVING),
    "finish": (frozenset({S.SERVING}), S.SERVED),
    "no-show": (frozenset({S.CALLED}), S.NO_SHOW),
    "leave": (frozenset({S.WAITING, S.CALLED}), S.LEFT),
}
"""Act → states it is allowed in, and the state it leads to. Calling is the window's act, not the visit's."""


def allowed(status: str) -> list[str]:
    """The acts that a visit in ``status`` allows."""
    return [act for act, (before, _) in MOVES.items() if status in before]


def ticket_number(prefix: str, count: int) -> str:
    """The printed number: prefix and at least three digits, ``A007``; never reused within the business day."""
    return f"{prefix}{count:03d}"


SERVES: Final = frozenset({"teller", "branch_manager"})
"""Roles of the people who serve and are rated."""


def channel_of(roles: frozenset[str], asked: str | None) -> Channel | None:
    """How a ticket is asked for; None when the caller cannot have asked for it so.

    Staff take a ticket at the counter or at a customer's call, and never as a kiosk or an app: by such a ticket's link
    its holder may rate the visit.
    """
    if roles & SERVES:
        return Channel(asked or Channel.STAFF) if asked in (None, Channel.STAFF, Channel.PHONE) else None
    return Channel(asked or Channel.KIOSK)


NEAR: Final = ((3, 5), (10, 15))
"""People ahead up to which a phone asks again after so many seconds; 60 beyond."""


def next_poll(status: str, ahead: int | None) -> int | None:
    """Seconds after which a phone asks for its ticket again, the sooner the nearer its turn; None when all is over."""
    if status == S.CALLED:
        return 5
    if status == S.SERVING:
        return 60
    if status != S.WAITING or ahead is None:
        return None
    return next((seconds for most, seconds in NEAR if ahead <= most), 60)


def lasted(start: datetime, end: datetime) -> int:
    """Whole seconds from ``start`` to ``end``; never negative, as the clocks of two processes may disagree a little."""
    return max(0, whole_seconds(start, end))
