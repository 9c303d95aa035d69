"""What may enter a log line: keys on a list, values in the shape of a reference, a code, a count or a duration.

Names, contacts and free text cannot pass: their keys are not on the list, and under a listed key a text with a space,
a letter outside ASCII or an ``@`` is dropped as well.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

_KEYS = """
accepted action actor allowed attempt attempts batch business_date bytes cells code constraint count created_at
cursor database delay deleted direction done due duration error errors event_id events failed feature field format
from generation group handled handler high_water id interval job kind lag level limit line lines loop method metric
migration mode number object_id object_type occurred_at offset operation origin owner partition partitions pid port
position problem progress reason_code rejected replica request_id retried revision role roles round route rows
run_id schema seq sequence service services signal size skipped source span_id stage started state status step sub
subject table threshold timeout to topic total type unit until updated version waiting worker
"""
SAFE_KEYS: frozenset[str] = frozenset(_KEYS.split())
"""Keys of references, codes, counts and times that call sites may use."""

FIGURES = ("_seconds", "_ms", "_count", "_bytes", "_total")
"""Endings of keys whose values are numbers; a text under such a key is dropped."""

_REFERENCE = re.compile(r"[A-Za-z0-9_.:+/{}\[\]*=-]{0,200}", re.ASCII)
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII)
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,79}", re.ASCII)
_MOST = 50


class _UnsafeError(Exception):
    """The value is not in the shape of a reference or a figure."""


def is_event_name(text: object) -> bool:
    """Whether ``text`` is a constant event name such as ``subject_parked``, not a sentence with data in it."""
    return isinstance(text, str) and _EVENT.fullmatch(text) is not None


def safe_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that may be written, as JSON values, and under ``dropped`` how many were not."""
    kept: dict[str, Any] = {}
    dropped = 0
    for key, value in fields.items():
        try:
            kept[key] = _checked(key, value)
        except _UnsafeError:
            dropped += 1
    if dropped:
        kept["dropped"] = dropped
    return kept


def _checked(key: str, value: Any) -> Any:
    if key in SAFE_KEYS:
        return _value(value)
    if key.endswith(FIGURES) and isinstance(value, int | float):
        return value
    # Any other *_id passes as a UUID only: an identity card's number has a key of that form, too.
    if key.endswith("_id") and isinstance(value, str | UUID) and _IDENTIFIER.fullmatch(str(value)):
        return str(value)
    raise _UnsafeError


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return _value(value.value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | PurePath):
        value = str(value)
    if isinstance(value, str):
        if _REFERENCE.fullmatch(value) is None:
            raise _UnsafeError
        return value
    if (
        isinstance(value, Sequence | frozenset | set)
        and not isinstance(value, bytes | bytearray)
        and len(value) <= _MOST
    ):
        return [_value(item) for item in value]
    raise _UnsafeError
