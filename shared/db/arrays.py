"""Lists as PostgreSQL's text of an array.

Given a list, the driver asks of each element whether it is a list itself, which costs several times what writing the
element does; text goes through as it is. Only for a cast that runs once a statement, as in FROM: in a condition
PostgreSQL would read the text again for each row that it looks at, so lists there (``any_of``) stay with the driver.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from shared.db.errors import ValueRefused

Write = Callable[[Sequence[Any]], str]


def _of_texts(values: Sequence[str | None]) -> str:
    """``{"a","b"}``, with what would end an element escaped."""
    if not values:
        return "{}"
    try:
        joined = '","'.join(values)  # type: ignore[arg-type]
    except TypeError:
        return "{" + ",".join(map(_quoted, values)) + "}"
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        return "{" + ",".join(map(_quoted, values)) + "}"
    return f'{{"{joined}"}}'


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        raise ValueRefused(type(value).__name__)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(write: Callable[[Any], str]) -> Write:
    """For types whose text has nothing to escape; ``write`` refuses any other type, so that none slips in as text."""

    def of(values: Sequence[Any]) -> str:
        try:
            if None in values:
                return "{" + ",".join(["NULL" if each is None else write(each) for each in values]) + "}"
            return "{" + ",".join(map(write, values)) + "}"
        except TypeError as error:
            raise ValueRefused(type(error).__name__) from error

    return of


def _truth(value: object) -> str:
    if value is True:
        return "t"
    if value is False:
        return "f"
    raise TypeError


_ENDS: Final[dict[date | None, str]] = {None: "NULL", date.min: "-infinity", date.max: "infinity"}
"""The driver says the same of the first and the last day that there are."""


def _of_days(values: Sequence[date | None]) -> str:
    """``{2026-03-02,NULL}``; the days of many rows are few."""
    try:
        texts = {day: _ENDS.get(day) or date.isoformat(day) for day in set(values)}  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueRefused(type(error).__name__) from error
    return "{" + ",".join(map(texts.__getitem__, values)) + "}"


_of_numbers: Final = _bare(int.__repr__)
WRITERS: Final[dict[str, Write]] = {
    "VARCHAR": _of_texts, "TEXT": _of_texts, "SMALLINT": _of_numbers, "INTEGER": _of_numbers, "BIGINT": _of_numbers,
    "DATE": _of_days, "TIMESTAMP WITH TIME ZONE": _bare(datetime.isoformat), "BOOLEAN": _bare(_truth),
}  # fmt: skip
"""By the name of the element's type; the driver writes arrays of others."""
