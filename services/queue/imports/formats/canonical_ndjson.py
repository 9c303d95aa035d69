"""``canonical-ndjson``: our own columns as one JSON object a line. Described in ``FORMATS.md``."""

import json
from typing import Any, Final

from services.queue.imports.formats import canonical
from services.queue.imports.lines import Line
from services.queue.imports.rows import Context, Reject, VisitRow, reject

_COLUMNS: Final = frozenset(canonical.COLUMNS)
_WRONG_TYPE: Final = "\0"
"""Stands for a value of the wrong JSON type: no column reads it, so the column is ``malformed``."""


class CanonicalNdjson:
    """The format's entry in the registry."""

    name = "canonical-ndjson"

    def parser(self, context: Context) -> "CanonicalNdjsonParser":
        """A parser for one file."""
        return CanonicalNdjsonParser(context)


class CanonicalNdjsonParser:
    """Reads one file; there is no header."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def parse(self, line: Line) -> VisitRow | Reject | None:
        """The line as a visit or a reject; never None."""
        record = None if line.text is None else _object(line.text)
        if record is None:
            return reject(line.number, "line", "malformed")
        if record.keys() - _COLUMNS:
            return reject(line.number, "line", "unknown_field")
        given = {column: _text(column, value) for column, value in record.items() if value is not None}
        return canonical.visit(line.number, given, self._context)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError):  # also a number of too many digits, and nesting without end
        return None
    return value if isinstance(value, dict) else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _text(column: str, value: object) -> str:
    if column == "handling_seconds":
        return str(value) if type(value) is int and abs(value) < 10**12 else _WRONG_TYPE
    return value if isinstance(value, str) else _WRONG_TYPE
