"""From rows to what the desk shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.db.statements import Row

NEXT: Final = 5
"""People a teller sees before they are called."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One who waits; ``head_start`` in seconds is why somebody else who came earlier may be called later."""

    number: str
    service: Any
    ticket_class: Any
    issued_at: datetime
    order_at: datetime
    head_start: int


@dataclass(frozen=True, slots=True)
class Line:
    """Those who wait for one service; ``late`` have waited longer than four in five were told they would."""

    service: Any
    waiting: int
    oldest: datetime | None
    late: int
    windows: tuple[str, ...]


def by_number(rows: Iterable[Row]) -> list[Row]:
    """Windows as people count them: 2 before 10."""
    return sorted(rows, key=lambda row: (len(row.no), row.no))


def upcoming(
    queue: Sequence[Row], services: Mapping[str, Any], classes: Mapping[str, Any], served: Collection[str]
) -> list[Waiter]:
    """The next people that a window which serves ``served`` will call, in their order."""
    found = [row for row in queue if row.service in served]
    return [
        Waiter(
            row.number,
            services[row.service],
            classes.get(row.ticket_class),
            row.issued_at,
            row.order_at,
            int((row.issued_at - row.order_at).total_seconds()),
        )
        for row in found[:NEXT]
    ]


def lines(
    queue: Sequence[Row], services: Mapping[str, Any], windows: Mapping[str, Collection[str]], now: datetime
) -> list[Line]:
    """The queue by service: those with the most people first, then those without anybody."""
    found = []
    for code, service in services.items():
        mine = [row for row in queue if row.service == code]
        late = sum(
            1 for row in mine if row.quote_p80 is not None and (now - row.issued_at).total_seconds() > row.quote_p80
        )
        oldest = min((row.issued_at for row in mine), default=None)
        at = tuple(sorted((no for no, codes in windows.items() if code in codes), key=lambda no: (len(no), no)))
        found.append(Line(service, len(mine), oldest, late, at))
    return sorted(found, key=lambda line: -line.waiting)


def served_by(rows: Iterable[Row]) -> dict[str, set[str]]:
    """Window → the services it was opened for."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.no, set()).add(row.service)
    return found
