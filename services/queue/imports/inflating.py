"""Upload bytes to plain bytes: gzip is recognised by its first two bytes and inflated within bounds."""

import zlib
from collections.abc import Iterator
from typing import Final, Literal

Damage = Literal["gzip_corrupt", "gzip_truncated", "gzip_ratio"]

MAGIC: Final = b"\x1f\x8b"
BLOCK: Final = 65_536
MAX_RATIO: Final = 200
"""Text of this kind shrinks 5 to 50 times; a bomb shrinks 1,000 times."""
FREE_BYTES: Final = 1_048_576
"""Inflated bytes allowed before the ratio counts, so that a tiny file is not refused for its header."""


class Inflater:
    """Passes plain bytes through and inflates gzip (also several members in a row), at most 64 KiB at a time.

    ``damage`` says why reading stopped early, else None. Nothing after the damage is read.
    """

    def __init__(self, *, max_ratio: int = MAX_RATIO) -> None:
        self.damage: Damage | None = None
        self._max_ratio = max_ratio
        self._head = b""
        self._gzip: bool | None = None
        self._member: zlib._Decompress | None = None
        self._taken = 0
        self._given = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes that ``chunk`` adds; the iterator must be used up before the next call."""
        if self._gzip is None:
            self._head += chunk
            if len(self._head) < len(MAGIC):
                return
            self._gzip = self._head.startswith(MAGIC)
            chunk, self._head = self._head, b""
        if self._gzip:
            self._taken += len(chunk)
            yield from self._inflate(chunk)
        elif chunk:
            yield chunk

    def close(self) -> Iterator[bytes]:
        """What is left at the end of the upload."""
        if self._head:
            yield self._head
            self._head = b""
        if self._member is not None and self.damage is None:
            self.damage = "gzip_truncated"

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while self.damage is None:
            if self._member is None:
                data = data.lstrip(b"\0")  # tapes and some tools pad the end with zeros
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=31)
            try:
                plain = self._member.decompress(data, BLOCK)
            except zlib.error:
                self.damage = "gzip_corrupt"
                return
            self._given += len(plain)
            if self._given > FREE_BYTES + self._max_ratio * self._taken:
                self.damage = "gzip_ratio"
                return
            if plain:
                yield plain
            if self._member.eof:
                data, self._member = self._member.unused_data, None
            else:
                data = self._member.unconsumed_tail
                if not data and len(plain) < BLOCK:
                    return
