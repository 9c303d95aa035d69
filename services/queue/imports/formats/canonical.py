"""The columns of our own formats and what they must hold; shared by CSV and NDJSON. Described in ``FORMATS.md``."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from services.queue.imports.formats import cells
from services.queue.imports.rows import CHANNELS, Code, Context, Fault, Outcome, Reject, VisitRow
from shared.arithmetic import whole_seconds

COLUMNS: Final = (
    *("external_key", "business_date", "service", "class", "channel", "outcome"),
    *("issued_at", "called_at", "started_at", "finished_at", "left_at", "handling_seconds", "staff_ref", "window"),
)
_DEFAULTS: Final = {"class": "ordinary", "channel": "kiosk"}
_OUTCOMES: Final[dict[str, Outcome]] = {"served": "served", "left": "left", "no_show": "no_show"}
_REQUIRED: Final = frozenset({"external_key", "business_date", "service", "outcome", "issued_at"})
_REQUIRED_BY: Final = {"served": {"called_at"}, "left": {"left_at"}, "no_show": {"called_at"}}
_REFUSED_BY: Final = {
    "served": {"left_at"},
    "left": {"called_at", "started_at", "finished_at", "handling_seconds"},
    "no_show": {"started_at", "finished_at", "left_at", "handling_seconds"},
}
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "external_key": cells.key,
    "business_date": cells.long_date,
    "service": cells.code,
    "class": cells.code,
    "channel": cells.code,
    "outcome": cells.code,
    "issued_at": cells.instant,
    "called_at": cells.instant,
    "started_at": cells.instant,
    "finished_at": cells.instant,
    "left_at": cells.instant,
    "handling_seconds": cells.count,
    "staff_ref": cells.code,
    "window": cells.code,
}
_VALUES: Final = {"channel": CHANNELS, "outcome": frozenset(_OUTCOMES)}
_PREDECESSORS: Final = {
    "called_at": ("issued_at",),
    "started_at": ("called_at", "issued_at"),
    "finished_at": ("started_at", "called_at", "issued_at"),
    "left_at": ("issued_at",),
}
_INSTANTS: Final = ("issued_at", *_PREDECESSORS)
_LONGEST: Final = timedelta(seconds=cells.MAX_SECONDS)


def visit(line_no: int, given: Mapping[str, str], context: Context) -> VisitRow | Reject:
    """One record. ``given``: column to text, where an empty text and an absent column are the same.

    All faults of the record are named, at most one a column, in the order of :data:`COLUMNS`.
    """
    faults: dict[str, Code] = {}
    values: dict[str, Any] = {}
    for column in COLUMNS:
        text = given.get(column) or _DEFAULTS.get(column, "")
        value = _READ[column](text) if text else None
        if value is not None and column in _VALUES and value not in _VALUES[column]:
            faults[column] = "unknown_value"
        elif text and value is None:
            faults[column] = "malformed"
        elif not text and column in _REQUIRED:
            faults[column] = "missing"
        values[column] = value
    _check_outcome(given, values["outcome"], faults)
    _check_times(values, context, faults)
    if faults:
        return Reject(line_no, tuple(Fault(column, faults[column]) for column in COLUMNS if column in faults))
    return _row(values)


def _check_outcome(given: Mapping[str, str], outcome: str | None, faults: dict[str, Code]) -> None:
    for column in _REQUIRED_BY.get(outcome or "", ()):
        if not given.get(column):
            faults.setdefault(column, "missing")
    for column in _REFUSED_BY.get(outcome or "", ()):
        if given.get(column):
            faults.setdefault(column, "not_allowed")


def _check_times(values: Mapping[str, Any], context: Context, faults: dict[str, Code]) -> None:
    issued: datetime | None = values["issued_at"]
    for column in _INSTANTS:
        at: datetime | None = values[column]
        if at is None:
            continue
        if at > context.now + cells.AHEAD:
            faults.setdefault(column, "in_future")
        before = next((values[name] for name in _PREDECESSORS.get(column, ()) if values[name] is not None), None)
        if before is not None and at < before:
            faults.setdefault(column, "out_of_order")
        if issued is not None and at - issued > _LONGEST:
            faults.setdefault(column, "out_of_range")
    if (values["handling_seconds"] or 0) > cells.MAX_SECONDS:
        faults.setdefault("handling_seconds", "out_of_range")
    business_date: date | None = values["business_date"]
    if issued is not None and business_date is not None:
        local = issued.astimezone(context.zone).date()
        # With a cut-off after midnight the small hours still belong to the day before.
        if business_date not in {local, local - timedelta(days=1)}:
            faults.setdefault("business_date", "inconsistent")


def _row(values: Mapping[str, Any]) -> VisitRow:
    outcome = _OUTCOMES[values["outcome"]]
    issued_at, called_at, left_at = values["issued_at"], values["called_at"], values["left_at"]
    started_at, finished_at, handling = values["started_at"], values["finished_at"], values["handling_seconds"]
    if handling is None and started_at is not None and finished_at is not None:
        handling = whole_seconds(started_at, finished_at)
    return VisitRow(
        external_key=values["external_key"],
        business_date=values["business_date"],
        service=values["service"],
        ticket_class=values["class"],
        channel=values["channel"],
        outcome=outcome,
        issued_at=issued_at,
        called_at=called_at,
        started_at=started_at,
        finished_at=finished_at,
        left_at=left_at,
        wait_seconds=whole_seconds(issued_at, left_at if outcome == "left" else called_at),
        handling_seconds=handling,
        staff_ref=None if values["staff_ref"] is None else cells.outside_ref(values["staff_ref"]),
        window=values["window"],
    )
