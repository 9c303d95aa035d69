"""What a line of history becomes: a visit, or a reject that names line, field and code."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Outcome = Literal["served", "left", "no_show"]

Code = Literal[
    "malformed",  # not in the form its field has, or the whole line unreadable (field "line")
    "missing",  # a required field is empty or absent
    "unknown_value",  # well formed, but not one of the values there are
    "unknown_field",  # a column or member that the format does not have (field "line" or "header")
    "not_allowed",  # the field must be empty with this outcome
    "out_of_order",  # earlier than what it follows
    "out_of_range",  # longer than a week
    "in_future",  # more than two minutes ahead of our clock
    "inconsistent",  # contradicts another field
    "phantom",  # anonymous-bank: a call that the switch only thought it had
    "no_ticket",  # anonymous-bank: hung up before entering the queue
]

CHANNELS = frozenset({"kiosk", "app", "counter", "phone", "web"})


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit of the past (历史到访), of the branch the import was started for.

    Instants are aware and in UTC. ``wait_seconds`` runs from issue to first call, or to leaving for ``left``.
    ``handling_seconds`` is None where the source does not know it; it is then not counted, rather than counted as 0.
    ``staff_ref`` is a name of the old system ("ext:TOVA"), never a staff id of ours.
    """

    external_key: str
    business_date: date
    service: str
    ticket_class: str
    channel: str
    outcome: Outcome
    issued_at: datetime
    called_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    left_at: datetime | None
    wait_seconds: int
    handling_seconds: int | None
    staff_ref: str | None
    window: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field. ``field`` is a column's name, "line" or "header": never text out of the file."""

    field: str
    code: Code


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that is not a visit, with all that is wrong in it; it counts once, under its first fault."""

    line_no: int
    faults: tuple[Fault, ...]

    @property
    def field(self) -> str:
        """The first wrong field, in the order of the columns."""
        return self.faults[0].field

    @property
    def code(self) -> Code:
        """The code the line is counted under."""
        return self.faults[0].code


@dataclass(frozen=True, slots=True)
class Context:
    """What a file does not say: the branch's zone, and our clock's time when the import began (aware)."""

    zone: ZoneInfo
    now: datetime


def reject(line_no: int, field: str, code: Code) -> Reject:
    """A reject with a single fault."""
    return Reject(line_no, (Fault(field, code),))
