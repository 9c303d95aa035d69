"""Texts of cells to values. Each function answers None where the text is not of its form, and never raises.

Neighbouring lines repeat their clocks, dates and codes: remembering the last ones saves half of the reading.
"""

import csv
import hashlib
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

MAX_SECONDS: Final = 604_800
"""No wait and no handling is longer than a week."""
AHEAD: Final = timedelta(minutes=2)
"""How far a stated time may lie before our clock (design §4)."""
_DAY: Final = 86_400
_NUMBER: Final = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_SPREADSHEET: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?(?:E\+[0-9]{1,3})?", re.ASCII)
_CLOCK: Final = re.compile(r"([0-9]|[01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+#-]{0,127}", re.ASCII)
_DATE: Final = re.compile(r"(?:19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT: Final = re.compile(
    r"(?:19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def number(text: str) -> int | None:
    """A whole number of at most 12 digits, with a minus sign perhaps."""
    return int(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=8192)
def count(text: str) -> int | None:
    """A whole number that is not negative."""
    value = number(text)
    return None if value is None or text.startswith("-") else value


def spreadsheet_number(text: str) -> str | None:
    """A number that a spreadsheet may have rewritten (``6.02E+11``): its digits are lost, the text is kept."""
    return text if _SPREADSHEET.fullmatch(text) else None


@lru_cache(maxsize=8192)
def clock(text: str) -> int | None:
    """``H:MM:SS`` or ``HH:MM:SS`` to seconds since midnight."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


@lru_cache(maxsize=512)
def short_date(text: str) -> date | None:
    """``yymmdd``; 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068 (POSIX)."""
    if len(text) != 6 or count(text) is None:
        return None
    year = int(text[:2])
    return _date(year + (1900 if year >= 69 else 2000), int(text[2:4]), int(text[4:]))


def long_date(text: str) -> date | None:
    """``YYYY-MM-DD``, 1970 to 2199."""
    return _date(int(text[:4]), int(text[5:7]), int(text[8:])) if _DATE.fullmatch(text) else None


def instant(text: str) -> datetime | None:
    """RFC 3339 with offset, 1970 to 2199, to UTC; beyond microseconds it is cut off. A leap second is refused."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def code(text: str) -> str | None:
    """A code: up to 32 letters, digits, dots, dashes, underscores."""
    return text if _CODE.fullmatch(text) else None


def key(text: str) -> str | None:
    """An external key: up to 128 characters of a code, and ``: / + #``."""
    return text if _KEY.fullmatch(text) else None


def outside_ref(text: str) -> str:
    """A name of the old system as a reference (``ext:TOVA``).

    A name that is not a code could be anything, a sentence too: it becomes a digest, since free text never leaves its
    owner's database. The same name always gives the same reference.
    """
    if _CODE.fullmatch(text):
        return f"ext:{text}"
    return f"ext:sha256-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def local_instant(day: date, seconds: int, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, of a wall clock of ``day`` in ``zone``; ``seconds`` may reach into later days.

    A time that occurs twice (the clock is put back) means the first; one that does not occur (the clock is put forward)
    is read with the offset before the change, as PEP 495 has it for ``fold=0``.
    """
    wall = datetime.combine(day, time(), tzinfo=zone) + timedelta(seconds=seconds)
    return wall.astimezone(UTC)


def split(text: str) -> list[str] | None:
    """The cells of one line: commas, or tabs where there is no comma; quotes as in RFC 4180; None if one stays open."""
    separator = "\t" if "\t" in text and "," not in text else ","
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except (csv.Error, StopIteration):
        return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
