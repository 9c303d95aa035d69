"""Upload bytes to numbered lines, without ever holding more than one line.

A *line* is a physical record: what stands between two line feeds. Empty lines at the end of the file are no lines; an
empty line before the end is one, and unreadable. Whatever the bytes, every line comes out exactly once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.queue.imports.inflating import Damage, Inflater

MAX_LINE: Final = 65_536
"""Longest line in bytes, without its line end."""
_BOM: Final = b"\xef\xbb\xbf"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line: its number in the file (from 1) and its text without the line end.

    ``text`` is None where the line cannot be read: empty, too long, not UTF-8, a control character in it, or the place
    where a damaged upload broke off.
    """

    number: int
    text: str | None


class LineReader:
    """Cuts fed bytes into :class:`Line`: LF or CRLF, an optional UTF-8 byte order mark, plain or gzip."""

    def __init__(self, *, max_line: int = MAX_LINE) -> None:
        self._inflater = Inflater()
        self._max_line = max_line
        self._rest = bytearray()
        self._skipping = False
        self._number = 0
        self._blanks = 0

    @property
    def damage(self) -> Damage | None:
        """Why the upload could not be read to its end, else None."""
        return self._inflater.damage

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that ``chunk`` completes; the iterator must be used up before the next call."""
        for block in self._inflater.feed(chunk):
            yield from self._cut(block)

    def close(self) -> Iterator[Line]:
        """The last line where it has no line end; after damage, one unreadable line that stands for the lost rest."""
        for block in self._inflater.close():
            yield from self._cut(block)
        if self.damage is not None:
            self._skipping = True
        if self._rest or self._skipping:
            yield from self._finish(b"")

    def _cut(self, block: bytes) -> Iterator[Line]:
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            yield from self._finish(block[start:end])
            start = end + 1
        self._keep(block[start:])

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._rest) + len(piece) > self._max_line + 1:  # one more for the CR of a CRLF
            self._rest.clear()
            self._skipping = True
        else:
            self._rest += piece

    def _finish(self, tail: bytes) -> Iterator[Line]:
        raw: bytes | None = None if self._skipping else bytes(self._rest) + tail if self._rest else tail
        self._rest.clear()
        self._skipping = False
        self._number += 1
        if raw is not None:
            raw = raw.removesuffix(b"\r")
            if self._number == 1:
                raw = raw.removeprefix(_BOM)
            if not raw:
                self._blanks += 1
                return
        for number in range(self._number - self._blanks, self._number):
            yield Line(number, None)
        self._blanks = 0
        yield Line(self._number, None if raw is None else self._decode(raw))

    def _decode(self, raw: bytes) -> str | None:
        if len(raw) > self._max_line:
            return None
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return None
        return None if _CONTROL.search(text) else text
