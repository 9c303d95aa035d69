"""The states of a window and who may work at it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class WindowState(StrEnum):
    """Closed (关窗), open (开窗) or on a break (暂停)."""

    CLOSED = "closed"
    OPEN = "open"
    BREAK = "break"


MOVES: Final[Mapping[str, tuple[frozenset[WindowState], WindowState]]] = {
    "open": (frozenset({WindowState.CLOSED}), WindowState.OPEN),
    "break": (frozenset({WindowState.OPEN}), WindowState.BREAK),
    "resume": (frozenset({WindowState.BREAK}), WindowState.OPEN),
    "close": (frozenset({WindowState.OPEN, WindowState.BREAK}), WindowState.CLOSED),
}
"""Act → states it is allowed in, and the state it leads to."""


def allowed(state: str) -> list[str]:
    """The acts that a window in ``state`` allows."""
    acts = [act for act, (before, _) in MOVES.items() if state in before]
    return [*acts, "call-next"] if state == WindowState.OPEN else acts


def missing(required: Mapping[str, str | None], held: set[str], overridden: set[str]) -> dict[str, str]:
    """The services among ``required`` (service → qualification) that the person may not serve, with what is missing.

    Source: guide 1.2a 持证上岗; ``held`` are the qualifications valid at this instant, ``overridden`` those a manager
    let pass for the business day.
    """
    return {
        service: qualification
        for service, qualification in required.items()
        if qualification is not None and qualification not in held and qualification not in overridden
    }
