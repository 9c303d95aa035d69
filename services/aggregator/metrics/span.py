"""The days that a question is about."""

from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BeforeValidator

from shared.web.problems import InvalidField

DAYS_BEFORE: Final = timedelta(days=30)
MOST_DAYS: Final = 3_700
EARLIEST: Final = date(1970, 1, 1)
LATEST: Final = date(2199, 12, 31)


def _iso(value: Any) -> Any:
    # Without this a number would be taken for a Unix time.
    if isinstance(value, str) and len(value) != len("2026-03-02"):
        raise ValueError("a date is written YYYY-MM-DD")
    return value


FromDay = Annotated[
    date | None,
    BeforeValidator(_iso),
    Query(
        alias="from", description="First business day, 30 days before the last unless given", examples=["2026-02-01"]
    ),
]
ToDay = Annotated[
    date | None,
    BeforeValidator(_iso),
    Query(alias="to", description="Last business day; the unit's present one by default", examples=["2026-03-02"]),
]


def span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """First and last business day of a question, both included; ``today`` is the unit's.

    Raises 422 for days out of range, in the wrong order, or too many.
    """
    for pointer, day in (("/query/from", first), ("/query/to", last)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise InvalidField(
                pointer,
                "out_of_range",
                f"Days from {EARLIEST} to {LATEST} can be asked for",
                f"可查询的日期为 {EARLIEST} 至 {LATEST}",
            )
    last = today if last is None else last
    first = max(EARLIEST, last - DAYS_BEFORE) if first is None else first
    if first > last:
        raise InvalidField("/query/from", "after_to", "The first day is after the last", "起始日期晚于截止日期")
    if (last - first).days >= MOST_DAYS:
        raise InvalidField(
            "/query/from", "too_many_days", f"At most {MOST_DAYS} days at once", f"一次最多查询 {MOST_DAYS} 天"
        )
    return first, last
