"""The text form of everything encrypted: ``v1.<suite>.<key>[.<key>].<body>`` (密文格式).

A dot separates the parts, none of which contains one:

=========  ===================================================================================================
``v1``     version of this format
suite      ``intl`` or ``sm``; a database may hold both while a bank moves from one to the other
keys       a field: the id of its record's data key; a wrapped data key: the id of the key-encryption key (KEK),
           then its own id
body       base64url without padding of nonce (12 bytes), ciphertext, tag (16 bytes)
=========  ===================================================================================================

What the text is bound to (table, column, row and all parts before the body) is authenticated, not stored.
"""

import base64
import binascii
import re
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from shared.security.suites import NONCE, SUITES, TAG, Suite, random_bytes

VERSION: Final = "v1"
_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """A sealed value cannot be opened. ``reason``: malformed, unknown_suite, unknown_key, other_key or altered."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Envelope(NamedTuple):
    """A parsed text."""

    suite: Suite
    keys: tuple[str, ...]
    body: bytes


def bind(*parts: str) -> bytes:
    """Unambiguous bytes of several texts: each with its length, so that ('ab', 'c') is not ('a', 'bc')."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def close(suite: Suite, key: bytes, plain: bytes, keys: tuple[str, ...], bound: tuple[str, ...]) -> str:
    """Encrypt under a fresh nonce."""
    head = (VERSION, suite.id, *keys)
    nonce = random_bytes(NONCE)
    body = nonce + suite.encrypt(key, nonce, plain, bind(*head, *bound))
    return ".".join((*head, encode(body)))


def parse(text: str, keys: int) -> Envelope:
    """Take apart a text that names ``keys`` keys. Raises :class:`Unreadable`."""
    parts = text.split(".")
    if len(parts) != keys + 3 or parts[0] != VERSION or not all(_PART.fullmatch(part) for part in parts[:-1]):
        raise Unreadable("malformed")
    suite = SUITES.get(parts[1])
    if suite is None:
        raise Unreadable("unknown_suite")
    body = decode(parts[-1])
    if len(body) < NONCE + TAG:
        raise Unreadable("malformed")
    return Envelope(suite, tuple(parts[2:-1]), body)


def open_(envelope: Envelope, key: bytes, bound: tuple[str, ...]) -> bytes:
    """Decrypt. Raises :class:`Unreadable` if the text, its place or the key is another."""
    head = (VERSION, envelope.suite.id, *envelope.keys)
    try:
        return envelope.suite.decrypt(key, envelope.body[:NONCE], envelope.body[NONCE:], bind(*head, *bound))
    except InvalidTag:
        raise Unreadable("altered") from None


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of canonical unpadded base64url. Raises :class:`Unreadable`."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("malformed") from None
    if encode(data) != text:
        raise Unreadable("malformed")
    return data
