"""What metrics are made from, and what they are made into: facts, contributions, cells."""

from datetime import date, datetime
from typing import Literal, NamedTuple

Origin = Literal["live", "import"]
VisitState = Literal["waiting", "called", "serving", "served", "left", "no_show"]


class VisitFact(NamedTuple):
    """The latest that is known of one visit (到访).

    ``wait_seconds`` runs to the first call, or to leaving where nobody called; ``handling_seconds`` is None where it is
    not known. Both are rounded once, by :func:`shared.arithmetic.whole_seconds`, so that every sum is exact.
    """

    visit: str
    unit: str
    business_date: date
    service: str
    ticket_class: str
    channel: str
    origin: Origin
    state: VisitState
    issued_at: datetime
    called_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    left_at: datetime | None = None
    wait_seconds: int | None = None
    handling_seconds: int | None = None


class ResponseFact(NamedTuple):
    """The latest that is known of one survey invitation (满意度评价邀请).

    Unit, date, service and class are the visit's: a response that comes late counts for the day of the visit.
    ``csat_items`` are the answers to the rated items of the questionnaire, on a scale of 1 to 5, in any order.
    """

    invitation: str
    visit: str
    unit: str
    business_date: date
    service: str
    ticket_class: str
    invited: bool
    responded: bool = False
    csat_items: tuple[int, ...] = ()


Fact = VisitFact | ResponseFact


class Amount(NamedTuple):
    """What one fact adds to one metric. ``n`` counts observations; ``bucket`` is that of a duration, or the second of a
    service level, else None."""

    n: int
    numerator: int
    denominator: int
    bucket: int | None = None


class Contribution(NamedTuple):
    """An addition to (or, negative, a subtraction from) one cell."""

    metric: str
    day: date
    unit: str
    service: str
    ticket_class: str
    bucket: int | None
    n: int
    numerator: int
    denominator: int


class Cell(NamedTuple):
    """Summed contributions of one bucket of one metric, over whatever the caller has chosen to sum."""

    bucket: int | None
    n: int
    numerator: int
    denominator: int
