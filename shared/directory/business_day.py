"""The business day (营业日) of a place: which day an instant counts for, with a cut-off after midnight.

Business day D begins at the first instant at which the place's wall clock shows D and the cut-off or later, and lasts
until day D+1 begins. So, with a cut-off of 02:00, 01:30 still counts for the day before. When the clocks change:

- a cut-off inside the hour that is skipped begins the day at the moment of the change;
- a cut-off inside the hour that comes twice begins the day at the first of the two; the repeated minutes stay in the
  new day although the wall clock shows a time before the cut-off again;
- a wall clock set back across midnight (St. John's until 2011, 00:01 to 23:01) does not bring the old day back.

Each day begins once, so the day of an instant never goes back as time goes on.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


def business_date(at: datetime, zone: str, cutoff: str) -> date:
    """The business day of the instant ``at`` (aware) in the IANA ``zone`` with ``cutoff`` ``HH:MM``.

    INVARIANT: monotone in ``at``, and each instant has exactly one day (proven by test_the_day_never_goes_back and
    test_each_instant_lies_in_exactly_its_own_day). Raises ValueError for a time without zone or a malformed cut-off.
    """
    if at.tzinfo is None:
        raise ValueError("a business day needs an aware time")
    shown = at.astimezone(ZoneInfo(zone)).date()
    # The wall clock's date is at most one off: before the cut-off, or set back across midnight after it.
    if at >= day_start(shown + _DAY, zone, cutoff):
        return shown + _DAY
    return shown if at >= day_start(shown, zone, cutoff) else shown - _DAY


def day_bounds(day: date, zone: str, cutoff: str) -> tuple[datetime, datetime]:
    """The half-open interval of instants (UTC) that count for ``day``: ``start <= at < end``."""
    return day_start(day, zone, cutoff), day_start(day + _DAY, zone, cutoff)


@lru_cache(maxsize=4096)
def day_start(day: date, zone: str, cutoff: str) -> datetime:
    """The instant (UTC) at which business day ``day`` begins."""
    place = ZoneInfo(zone)
    wall = datetime.combine(day, time.fromisoformat(cutoff), place)
    start = wall.astimezone(UTC)
    if start.astimezone(place).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return start
    # The wall time is skipped. Read with the offset after the change (fold=1) it lies before the change, with the
    # offset before the change after it; the change is the first second of the new offset in between.
    low, high = wall.replace(fold=1).astimezone(UTC), start
    new_offset = high.astimezone(place).utcoffset()
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == new_offset:
            high = middle
        else:
            low = middle
    return high
