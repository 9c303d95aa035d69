"""Rules of the board: how much it shows, and which call is still news."""

from datetime import datetime, timedelta
from typing import Final

LAST: Final = 6
"""Calls shown below the one that is being called."""
NEXT: Final = 5
"""Numbers shown as the next ones."""
NEWS: Final = timedelta(seconds=60)
"""A call older than this is shown, and announced no more: its customer has gone or is being served."""


def fresh(called_at: datetime, now: datetime) -> bool:
    """Whether a call of that time is still announced."""
    return now - called_at <= NEWS
