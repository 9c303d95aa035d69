"""The only clock of the house: UTC, aware, injectable.

Everything that needs the time asks a :class:`Clock`; tests set it, the demo day scales it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time as an aware UTC instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told to move; for tests and replays."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move to ``at`` (aware; kept in UTC)."""
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Move forward by ``by`` and return the new time."""
        self._at += by
        return self._at


def unix_millis() -> int:
    """Milliseconds since 1970, for time-ordered identifiers."""
    return time.time_ns() // 1_000_000
