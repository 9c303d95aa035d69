"""The upload's form (multipart/form-data, RFC 7578), read as it arrives: the file goes straight to the spool."""

import hashlib
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.queue.imports.errors import NotMultipart, missing, repeated
from services.queue.imports.spool import Incoming
from shared.web.problems import BadBody, InvalidField

FILE: Final = "file"
_FIELDS: Final = frozenset({"format", "unit"})
_MAX_VALUE: Final = 128
_MAX_HEADER: Final = 4096


class UploadForm:
    """Fed with pieces of the body; gives the two fields, and the file's size and SHA-256 while it is written.

    Every refusal is a problem that names the part. Memory does not depend on the file.
    """

    def __init__(self, content_type: str, target: Incoming) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
            raise NotMultipart
        self.size = 0
        self._target = target
        self._digest = hashlib.sha256()
        self._values: dict[str, bytearray] = {}
        self._done: set[str] = set()
        self._part = ""
        self._header = self._value = b""
        self._disposition = b""
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    @property
    def sha256(self) -> str:
        """The digest of the file so far, hexadecimal."""
        return self._digest.hexdigest()

    @property
    def complete(self) -> frozenset[str]:
        """The parts that have arrived whole."""
        return frozenset(self._done)

    def text(self, field: str) -> str:
        """A field's value."""
        if field not in self._done:
            raise missing(field)
        try:
            return self._values[field].decode()
        except UnicodeDecodeError:
            raise InvalidField(f"/{field}", "malformed", "The field is not UTF-8", "此字段不是 UTF-8") from None

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise BadBody from None

    def close(self) -> None:
        """The body is over: every part must have arrived whole."""
        if not self._ended:
            raise BadBody
        for part in (FILE, *sorted(_FIELDS)):
            if part not in self._done:
                raise missing(part)

    def _begin(self) -> None:
        self._part, self._disposition = "", b""
        self._header = self._value = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._bound()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bound()

    def _bound(self) -> None:
        if len(self._header) + len(self._value) > _MAX_HEADER:
            raise BadBody

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != FILE and name not in _FIELDS:
            raise InvalidField("/", "unknown_field", "The form has the parts file, format and unit", "表单字段未知")
        if name in self._done:
            raise repeated(name)
        self._part = name
        self._values[name] = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._part == FILE:
            self.size += len(piece)
            self._digest.update(piece)
            self._target.write(piece)
            return
        value = self._values[self._part]
        value += piece
        if len(value) > _MAX_VALUE:
            raise InvalidField(f"/{self._part}", "too_long", "The field is too long", "此字段过长")

    def _end(self) -> None:
        self._done.add(self._part)

    def _finish(self) -> None:
        self._ended = True
