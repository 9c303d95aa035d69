"""Identifiers and random tokens: the only place that draws random numbers for them."""

import hashlib
import os
import secrets
import threading
import uuid
from typing import Final

from shared.clock import unix_millis

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:wangdian")
_NAMESPACE_BYTES: Final = NAMESPACE.bytes
_CLEARED: Final = ~((0xF << 76) | (0b11 << 62))

_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> str:
    """A new UUIDv7 (RFC 9562) as text; within one process each is greater than the one before.

    The 12 bits after the version count up inside one millisecond, so that rows keep their order of creation.
    """
    global _last  # noqa: PLW0603 - one monotonic sequence per process is the point
    with _lock:
        millis, count = unix_millis(), 0
        last_millis, last_count = _last
        if millis <= last_millis:
            millis, count = last_millis, last_count + 1
            if count > 0xFFF:
                millis, count = millis + 1, 0
        _last = (millis, count)
    value = (millis << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | (int.from_bytes(os.urandom(8)) >> 2)
    return _text(value)


def _text(value: int) -> str:
    """The canonical form of 128 bits; a ``uuid.UUID`` on the way would cost four times as much."""
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def uuid5(*parts: str) -> str:
    """The UUIDv5 of ``parts``: equal parts give the equal id, so that a second import changes nothing."""
    digest = hashlib.sha1(_NAMESPACE_BYTES + "\x1f".join(parts).encode(), usedforsecurity=False).digest()
    value = int.from_bytes(digest[:16], "big")
    return _text(value & _CLEARED | (0x5 << 76) | (0b10 << 62))


def digits(length: int) -> str:
    """Random decimal digits: a code that a person reads off one screen and types into another."""
    return f"{secrets.randbelow(10**length):0{length}d}"


def token128() -> str:
    """A random token of 128 bits, 22 characters of base64url."""
    return secrets.token_urlsafe(16)
