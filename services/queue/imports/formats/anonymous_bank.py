"""``anonymous-bank``: the call log of a bank's call centre (Technion SEELab), seen as a branch's hall.

17 columns, no quoting, in local clock times of the branch; the rules are those of ``FORMATS.md``. A line is looked at
as a whole first (count of fields, numbers, clocks, date, outcome: ``malformed``), then for what it tells.
"""

from datetime import timedelta
from typing import Final

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
        (line, call, customer, priority, kind, day, entry, left_menu, menu) = fields[:9]
        (q_start, q_exit, q_time, outcome, ser_start, ser_exit, ser_time, server) = fields[9:]
        read = (
            cells.code(line),
            cells.count(call),
            cells.spreadsheet_number(customer),  # 24 lines in January went through a spreadsheet once
            _priority(priority),
            cells.code(kind),
            cells.short_date(day),
            cells.clock(entry),
            cells.clock(left_menu),
            cells.number(menu),  # negative where the source's two clocks disagree: 33 lines in January
            cells.clock(q_start),
            cells.clock(q_exit),
            _seconds(q_time),
            outcome if outcome in _OUTCOMES else None,
            cells.clock(ser_start),
            cells.clock(ser_exit),
            _seconds(ser_time),
            server,
        )
        if None in read:
            faults = (Fault(name, "malformed") for name, value in zip(COLUMNS, read, strict=True) if value is None)
            return Reject(line_no, tuple(faults))
        return self._visit(line_no, read)

    def _visit(self, line_no: int, read: tuple) -> VisitRow | Reject:
        (
            line,
            call,
            _,
            priority,
            kind,
            day,
            entry,
            left_menu,
            _,
            *queue,
            outcome_text,
            start,
            end,
            handling,
            server,
        ) = read
        q_start, _, wait = queue
        outcome = _OUTCOMES[outcome_text]
        if outcome is None:
            return reject(line_no, "outcome", "phantom")
        queued = any(queue)
        if outcome == "left" and not queued:
            return reject(line_no, "outcome", "no_ticket")

        zone = self._context.zone
        issued_at = cells.local_instant(day, _on_day(q_start if queued else left_menu, entry), zone)
        if issued_at > self._context.now + cells.AHEAD:
            return reject(line_no, "date", "in_future")
        over_at = issued_at + timedelta(seconds=wait)
        known = bool(start or end or handling)
        started_at = cells.local_instant(day, _on_day(start, entry), zone) if known else None
        if started_at is not None and not start and abs(started_at - over_at) > timedelta(hours=1):
            started_at = None  # 0:00:00 is "unknown" here, not midnight
        return VisitRow(
            external_key=f"{line}/{call}/{day:%y%m%d}",
            business_date=day,
            service=kind,
            ticket_class=CLASSES[priority][0],
            channel=CHANNEL,
            outcome=outcome,
            issued_at=issued_at,
            called_at=over_at if outcome == "served" else None,
            started_at=started_at,
            finished_at=None if started_at is None else started_at + timedelta(seconds=handling),
            left_at=over_at if outcome == "left" else None,
            wait_seconds=wait,
            handling_seconds=handling if known else None,
            staff_ref=None if server in {"", _NO_SERVER} else cells.outside_ref(server),
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
