"""What a line of history becomes in our own terms: identity, number, fingerprint, columns. Pure."""

import hashlib
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from services.queue.imports.formats.anonymous_bank import CLASSES
from services.queue.imports.rows import Outcome, VisitRow
from shared.contracts.queue import Channel, VisitStatus
from shared.ids import uuid5

_SOURCES: Final = {"canonical-csv": "canonical", "canonical-ndjson": "canonical"}
_LABELS: Final = {"canonical": "h", "anonymous-bank": "ab"}
_HEAD_STARTS: Final = {"anonymous-bank": dict(CLASSES.values())}
_CHANNELS: Final = {"counter": Channel.STAFF.value, "web": Channel.APP.value}
_STATUS: Final[dict[Outcome, str]] = {
    "served": VisitStatus.SERVED.value,
    "left": VisitStatus.LEFT.value,
    "no_show": VisitStatus.NO_SHOW.value,
}
_PLAIN: Final = str.maketrans("/", ":")
_SAFE: Final = str.maketrans("/#", ":+")
_LONGEST_PLAIN: Final = 56
_CONTENT: Final = attrgetter(*VisitRow.__slots__)


def source_of(format_name: str) -> str:
    """Whose keys a format's external keys are: our own two formats share theirs."""
    return _SOURCES.get(format_name, format_name)


def visit_id(source: str, unit: str, external_key: str) -> str:
    """The visit's id: the same key of the same source and branch is the same visit, whichever file it comes in."""
    return uuid5("visit", source, unit, external_key)


def visit_number(source: str, external_key: str) -> str:
    """The visit's number, from its external key; a contract's code of at most 64 characters.

    INVARIANT: two keys never share a number, and no number is one of ours: a live one has no ``:``, a readable one has
    no ``+``, all others end in a digest of the key (proven by test_numbers_are_codes_and_never_collide).
    """
    label = _LABELS[source]
    if len(external_key) <= _LONGEST_PLAIN and not set(external_key) & set(":+#"):
        return f"{label}:{external_key.translate(_PLAIN)}"
    digest = hashlib.sha256(external_key.encode()).hexdigest()[:20]
    return f"{label}:{external_key[:36].translate(_SAFE)}+{digest}"


def fingerprint(row: VisitRow) -> str:
    """Equal for equal content, whatever the file."""
    return hashlib.sha256("\x1f".join(map(str, _CONTENT(row))).encode()).hexdigest()[:32]


def content(row: VisitRow, file: str, ordinal: int) -> str:
    """What ``visit.content`` keeps of the line: fingerprint, file (its SHA-256) and place in the file."""
    return f"{fingerprint(row)}@{file[:16]}:{ordinal}"


def changes(stored: str | None, new: str) -> bool:
    """Whether the line ``new`` tells something else than what is ``stored``, both as :func:`content` has them.

    Of two lines with one key in one file the later counts; when the file comes again, the earlier is known as
    superseded and changes nothing either.
    """
    if stored is None:
        return True
    old_print, _, old_place = stored.partition("@")
    new_print, _, new_place = new.partition("@")
    if old_print == new_print:
        return False
    old_file, _, old_ordinal = old_place.partition(":")
    new_file, _, new_ordinal = new_place.partition(":")
    return old_file != new_file or int(old_ordinal) < int(new_ordinal)


def columns(row: VisitRow, *, source: str, unit: str) -> dict[str, Any]:
    """The visit's columns but ``content`` and ``version``."""
    head_start = _HEAD_STARTS.get(source, {}).get(row.ticket_class, 0)
    return {
        "id": visit_id(source, unit, row.external_key),
        "unit": unit,
        "business_date": row.business_date,
        "number": visit_number(source, row.external_key),
        "service": row.service,
        "ticket_class": row.ticket_class,
        "channel": _CHANNELS.get(row.channel, row.channel),
        "status": _STATUS[row.outcome],
        "origin": "import",
        "issued_at": row.issued_at,
        "order_at": row.issued_at - timedelta(seconds=head_start),
        "called_at": row.called_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "left_at": row.left_at,
        "end_cause": "customer" if row.outcome == "left" else None,
        "wait_seconds": row.wait_seconds,
        "handling_seconds": row.handling_seconds,
        "calls": 0 if row.called_at is None else 1,
        "window": row.window,
        "staff": None,
        "staff_external": row.staff_ref,
        "quote_p50": None,
        "quote_p80": None,
        "token_hash": None,  # nosec B105
        "contact": None,
    }


def ended_at(row: VisitRow) -> datetime:
    """When the visit ended: finished, left, or the last that is known of it."""
    called = None if row.called_at is None else row.called_at + timedelta(seconds=row.handling_seconds or 0)
    return row.finished_at or row.left_at or called or row.issued_at
