"""``anonymous-bank``: the call log of a bank's call centre (Technion SEELab), seen as a branch's hall.

17 columns, no quoting, in local clock times of the branch; the rules are those of ``FORMATS.md``. A line is looked at
as a whole first (count of fields, numbers, clocks, date, outcome: ``malformed``), then for what it tells.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from services.queue.imports.formats import cells
from services.queue.imports.lines import Line
from services.queue.imports.rows import Context, Fault, Outcome, Reject, VisitRow, reject

COLUMNS: Final = (
    *("vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit", "vru_time"),
    *("q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time", "server"),
)
CLASSES: Final = {0: ("ordinary", 0), 1: ("care", 90), 2: ("vip", 180)}
"""``priority`` to the class of the ticket and its head start in seconds (in force there from 13 January 1999)."""
CHANNEL: Final = "kiosk"
"""The voice unit's line is where the ticket was drawn."""

_HOUR: Final = 3600
_OUTCOMES: Final[dict[str, Outcome | None]] = {"AGENT": "served", "HANG": "left", "PHANTOM": None}
_NO_SERVER: Final = "NO_SERVER"
_HEADERS: Final = frozenset({"vru+line", "vru.line", "vru_line"})


class _Row(NamedTuple):
    """The cells of one line as values, in the order of :data:`COLUMNS`; clocks in seconds since midnight."""

    line: str
    call_id: int
    customer_id: str
    priority: int
    type: str
    date: date
    vru_entry: int
    vru_exit: int
    vru_time: int
    q_start: int
    q_exit: int
    q_time: int
    outcome: str
    ser_start: int
    ser_exit: int
    ser_time: int
    server: str


class AnonymousBank:
    """The format's entry in the registry."""

    name = "anonymous-bank"

    def parser(self, context: Context) -> "AnonymousBankParser":
        """A parser for one file."""
        return AnonymousBankParser(context)


class AnonymousBankParser:
    """Reads one file; the first line may be the header."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._first = True

    def parse(self, line: Line) -> VisitRow | Reject | None:
        """The line as a visit or a reject; None for the header."""
        first, self._first = self._first, False
        fields = None if line.text is None else cells.split(line.text)
        if fields is None:
            return reject(line.number, "line", "malformed")
        if first and fields[0].strip().lower() in _HEADERS:
            return None
        if len(fields) != len(COLUMNS):
            return reject(line.number, "line", "malformed")
        return self._row(line.number, fields)

    def _row(self, line_no: int, fields: list[str]) -> VisitRow | Reject:
        read = [reader(text) for reader, text in zip(_READERS, fields, strict=True)]
        if None in read:
            faults = (Fault(name, "malformed") for name, value in zip(COLUMNS, read, strict=True) if value is None)
            return Reject(line_no, tuple(faults))
        return self._visit(line_no, _Row(*read))

    def _visit(self, line_no: int, row: _Row) -> VisitRow | Reject:
        outcome = _OUTCOMES[row.outcome]
        if outcome is None:
            return reject(line_no, "outcome", "phantom")
        queued = bool(row.q_start or row.q_exit or row.q_time)
        if outcome == "left" and not queued:
            return reject(line_no, "outcome", "no_ticket")

        zone = self._context.zone
        issued_at = cells.local_instant(row.date, _on_day(row.q_start if queued else row.vru_exit, row.vru_entry), zone)
        if issued_at > self._context.now + cells.AHEAD:
            return reject(line_no, "date", "in_future")
        over_at = issued_at + timedelta(seconds=row.q_time)
        known = bool(row.ser_start or row.ser_exit or row.ser_time)
        started_at = cells.local_instant(row.date, _on_day(row.ser_start, row.vru_entry), zone) if known else None
        if started_at is not None and not row.ser_start and abs(started_at - over_at) > timedelta(hours=1):
            started_at = None  # 0:00:00 is "unknown" here, not midnight
        return VisitRow(
            external_key=f"{row.line}/{row.call_id}/{row.date:%y%m%d}",
            business_date=row.date,
            service=row.type,
            ticket_class=CLASSES[row.priority][0],
            channel=CHANNEL,
            outcome=outcome,
            issued_at=issued_at,
            called_at=over_at if outcome == "served" else None,
            started_at=started_at,
            finished_at=None if started_at is None else started_at + timedelta(seconds=row.ser_time),
            left_at=over_at if outcome == "left" else None,
            wait_seconds=row.q_time,
            handling_seconds=row.ser_time if known else None,
            staff_ref=None if row.server in {"", _NO_SERVER} else cells.outside_ref(row.server),
            window=None,
        )


def _on_day(seconds: int, entry: int) -> int:
    """A clock more than an hour before the entry belongs to the next day; a little before is the source's own noise."""
    return seconds + 86_400 if seconds < entry - _HOUR else seconds


def _priority(text: str) -> int | None:
    value = cells.count(text)
    return value if value in CLASSES else None


def _seconds(text: str) -> int | None:
    value = cells.count(text)
    return None if value is None or value > cells.MAX_SECONDS else value


_READERS: Final[tuple[Callable[[str], Any], ...]] = (
    cells.code,
    cells.count,
    cells.spreadsheet_number,  # 24 customers of January went through a spreadsheet once
    _priority,
    cells.code,
    cells.short_date,
    cells.clock,
    cells.clock,
    cells.number,  # negative where the source's two clocks disagree: 33 lines in January
    cells.clock,
    cells.clock,
    _seconds,
    lambda text: text if text in _OUTCOMES else None,
    cells.clock,
    cells.clock,
    _seconds,
    str,
)
"""How the cell of each column is read; None is a wrong cell."""
