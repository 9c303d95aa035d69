"""Rules of devices: how long a code and a token last, and when a device is silent."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_LASTS: Final = timedelta(minutes=10)
TOKEN_LASTS: Final = timedelta(minutes=10)
BEAT: Final = timedelta(seconds=30)
CHANGES_WITHIN: Final = timedelta(minutes=1)
"""From the first beat with a new token, the time in which the last one with the old may still arrive."""
TOLD_FOR: Final = timedelta(days=1)
"""How long the manager is told of a key that was used by two, and after how long it is recorded anew."""

SUBJECT: Final = "device:"
"""The subject of a device, in audit rows and events: this and its id."""

FEW: Final = 12
"""A kiosk borrows numbers before it has fewer of any service; who has fewer did not get them."""


class DeviceKind(StrEnum):
    """What a device is (取号机、叫号屏)."""

    KIOSK = "kiosk"
    BOARD = "board"


class DeviceState(StrEnum):
    """Whether it may act: it shows its code, it is enrolled, it was sent away."""

    PENDING = "pending"
    ACTIVE = "active"
    REVOKED = "revoked"


def tells(outbox: int, lease_left: int) -> tuple[bool, bool]:
    """What of a beat the hall page wants to know at once: whether acts wait, whether numbers run out."""
    return outbox > 0, lease_left < FEW


def twice(ends: datetime, newest: datetime, since: datetime, now: datetime) -> bool:
    """Whether a beat whose token ends at ``ends`` shows a second machine: one with the token that ends at ``newest``
    has spoken since ``since``."""
    return ends < newest and now - since > CHANGES_WITHIN


def told_again(twice_at: datetime | None, now: datetime) -> bool:
    """Whether a second machine is news: it was not seen within :data:`TOLD_FOR`."""
    return twice_at is None or now - twice_at > TOLD_FOR
