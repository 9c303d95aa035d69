"""A metric by weekday and half hour, from groups of the visits of one branch."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.aggregator.metrics.answers import Point, point
from services.aggregator.metrics.registry import Metric
from services.aggregator.metrics.values import Cell, VisitFact

HALF_HOUR: Final = timedelta(minutes=30)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HalfHours:
    """Rows are weekdays from Monday, columns half hours from ``first`` (0 is midnight, 47 is 23:30).

    A field is the point of all its days, and how many business days of that weekday had any visit at all.
    """

    first: int
    fields: tuple[tuple[Point | None, ...], ...]
    days: tuple[int, ...]


def half_hours(
    metric: Metric, groups: Iterable[Any], zone: str, first: date, last: date, within: int
) -> HalfHours | None:
    """The fields of ``metric``; None where it says nothing of a visit, or there is no visit.

    What a group adds is asked of the metric itself, by a visit like those of the group: one definition for all figures.
    The row is the weekday of the business day, the column the local time of the ticket.
    """
    local = ZoneInfo(zone)
    cells: dict[tuple[int, int], list[Cell]] = {}
    open_days: set[date] = set()
    for group in groups:
        open_days.add(group.day)
        cell = _cell(metric, group, within)
        if cell is None:
            continue
        at = (_EPOCH + group.slot * HALF_HOUR).astimezone(local)
        column = at.hour * 2 + at.minute // 30
        cells.setdefault((group.day.weekday(), column), []).append(cell)
    if not cells:
        return None
    columns = [column for _, column in cells]
    lowest, highest = min(columns), max(columns)
    fields = tuple(
        tuple(
            point(metric, first, last, cells[row, column], within=within) if (row, column) in cells else None
            for column in range(lowest, highest + 1)
        )
        for row in range(7)
    )
    return HalfHours(lowest, fields, tuple(sum(day.weekday() == row for day in open_days) for row in range(7)))


def _cell(metric: Metric, group: Any, within: int) -> Cell | None:
    wait = (within if group.within else within + 1) if group.waits else None
    like = VisitFact(
        visit="", unit="", business_date=group.day, service="", ticket_class="", channel="", origin=group.origin,
        state=group.state, issued_at=_EPOCH, wait_seconds=wait, handling_seconds=0 if group.handlings else None,
    )  # fmt: skip
    amount = metric.amount(like)
    if amount is None:
        return None
    if metric.kind != "duration":
        return Cell(amount.bucket, amount.n * group.n, amount.numerator * group.n, amount.denominator * group.n)
    n, seconds = (group.waits, group.waited) if metric.id == "wait.seconds" else (group.handlings, group.handled)
    return Cell(amount.bucket, n, seconds or 0, n)
