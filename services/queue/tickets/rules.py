"""The states of a visit; whatever is not listed here is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.arithmetic import whole_seconds
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


def lasted(start: datetime, end: datetime) -> int:
    """Whole seconds from ``start`` to ``end``; never negative, as the clocks of two processes may disagree a little."""
    return max(0, whole_seconds(start, end))
