"""The format ``anonymous-bank``: both real months against an independent computation, and each rule by hand."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.queue.imports.formats.anonymous_bank import COLUMNS, AnonymousBank
from services.queue.imports.lines import Line
from services.queue.imports.parsing import FileParser, parse
from services.queue.imports.rows import Context, Fault, Reject, VisitRow
from tests.system.independent_bank import find_month, read_month

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
GOOD_LINE = "AA0101,33118,27997683,2,PS,990101,6:55:20,6:55:26,6,6:55:26,6:55:43,17,AGENT,6:55:43,6:56:37,54,MICHAL"
GOOD = GOOD_LINE.split(",")


def read(fields: list[str], zone: str = "Asia/Shanghai") -> VisitRow | Reject | None:
    parser = AnonymousBank().parser(Context(ZoneInfo(zone), NOW))
    parser.parse(Line(1, ",".join(COLUMNS)))
    return parser.parse(Line(2, ",".join(fields)))


def changed(**cells: str) -> list[str]:
    return [cells.get(name.replace("+", "_"), value) for name, value in zip(COLUMNS, GOOD, strict=True)]


def visit(zone: str = "Asia/Shanghai", **cells: str) -> VisitRow:
    row = read(changed(**cells), zone)
    assert isinstance(row, VisitRow), row
    return row


@pytest.mark.data
@pytest.mark.parametrize(
    ("month", "lines", "accepted", "phantom", "no_ticket", "served", "left"),
    [("1999-01", 31_599, 30_161, 240, 1_198, 27_060, 3_101), ("1999-02", 33_344, 31_125, 278, 1_941, 27_162, 3_963)],
)
def test_a_real_month_equals_the_independent_computation(
    month: str, lines: int, accepted: int, phantom: int, no_ticket: int, served: int, left: int
) -> None:
    path = find_month(month)
    if path is None:
        pytest.skip("the data sets are not beside this checkout")
    parser = FileParser(AnonymousBank(), Context(SHANGHAI, NOW))
    rows = [record for record in parse(parser, [path.read_bytes()]) if isinstance(record, VisitRow)]

    assert (parser.lines, parser.accepted, parser.damage) == (lines, accepted, None)
    assert parser.rejected_by_code == {"phantom": phantom, "no_ticket": no_ticket}
    assert Counter(row.outcome for row in rows) == {"served": served, "left": left}
    assert len({row.external_key for row in rows}) == accepted

    independent = read_month(path)
    assert (independent.lines, independent.accepted) == (lines, accepted)
    for row, other in zip(rows, independent.visits, strict=True):
        assert row.external_key == "{}/{}/{}".format(*other["key"])
        assert (row.business_date, row.service) == (other["day"], other["service"])
        assert row.ticket_class == ("ordinary", "care", "vip")[other["priority"]]
        assert (row.wait_seconds, row.handling_seconds) == (other["wait"], other["handling"])
        assert local(row.issued_at) == other["issued"]
        assert local(row.called_at or row.left_at) == other["over"]
        assert (row.called_at is None) == (row.left_at is not None) == (other["outcome"] == "HANG")
        assert (local(row.started_at), local(row.finished_at)) == (other["started"], other["finished"])
        assert row.staff_ref == (None if other["server"] == "NO_SERVER" else f"ext:{other['server']}")


def local(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(SHANGHAI).replace(tzinfo=None)


def test_an_ordinary_line() -> None:
    assert visit() == VisitRow(
        external_key="AA0101/33118/990101",
        business_date=date(1999, 1, 1),
        service="PS",
        ticket_class="vip",
        channel="kiosk",
        outcome="served",
        issued_at=datetime(1998, 12, 31, 22, 55, 26, tzinfo=UTC),
        called_at=datetime(1998, 12, 31, 22, 55, 43, tzinfo=UTC),
        started_at=datetime(1998, 12, 31, 22, 55, 43, tzinfo=UTC),
        finished_at=datetime(1998, 12, 31, 22, 56, 37, tzinfo=UTC),
        left_at=None,
        wait_seconds=17,
        handling_seconds=54,
        staff_ref="ext:MICHAL",
        window=None,
    )


NEVER_QUEUED = {"q_start": "0:00:00", "q_exit": "0:00:00", "q_time": "0"}
NEVER_SERVED = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0"}


def test_taken_at_once_is_issued_and_called_at_vru_exit() -> None:
    row = visit(**NEVER_QUEUED, vru_exit="6:55:41")
    assert row.issued_at == row.called_at == datetime(1998, 12, 31, 22, 55, 41, tzinfo=UTC)
    assert row.wait_seconds == 0


def test_a_queue_entered_at_midnight_is_a_queue() -> None:
    row = visit(vru_entry="23:59:54", vru_exit="23:59:54", q_start="0:00:00", q_exit="0:00:27", q_time="27")
    assert local(row.issued_at) == datetime(1999, 1, 2, 0, 0, 0)
    assert (row.business_date, row.wait_seconds) == (date(1999, 1, 1), 27)


def test_exactly_an_hour_before_the_entry_is_the_same_day() -> None:
    assert local(visit(vru_entry="7:55:26").issued_at) == datetime(1999, 1, 1, 6, 55, 26)
    assert local(visit(vru_entry="7:55:27").issued_at) == datetime(1999, 1, 2, 6, 55, 26)


def test_handling_is_known_only_with_a_service_record() -> None:
    unknown = visit(**NEVER_SERVED)
    assert (unknown.outcome, unknown.handling_seconds, unknown.started_at, unknown.finished_at) == (
        *("served", None),
        *(None, None),
    )
    assert visit(ser_time="0", ser_exit="6:55:43").handling_seconds == 0


def test_a_caller_who_left_has_no_call_but_may_have_a_service_record() -> None:
    row = visit(outcome="HANG")
    assert (row.outcome, row.called_at, row.handling_seconds) == ("left", None, 54)
    assert local(row.left_at) == datetime(1999, 1, 1, 6, 55, 43)


def test_a_service_start_of_zero_by_day_is_unknown() -> None:
    row = visit(ser_start="0:00:00")
    assert (row.started_at, row.finished_at, row.handling_seconds) == (None, None, 54)


def test_a_clock_in_a_gap_or_a_fold_is_read_with_the_first_offset() -> None:
    gap = visit("Europe/Berlin", date="990328", vru_entry="2:30:00", q_start="2:30:00", q_exit="2:30:17")
    assert gap.issued_at == datetime(1999, 3, 28, 1, 30, tzinfo=UTC)
    fold = visit("Europe/Berlin", date="991031", vru_entry="2:30:00", q_start="2:30:00", q_exit="2:30:17")
    assert fold.issued_at == datetime(1999, 10, 31, 0, 30, tzinfo=UTC)
    assert fold.called_at == fold.issued_at + timedelta(seconds=17)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *[("vru+line", ""), ("vru+line", "a b"), ("call_id", "33118.0"), ("call_id", "-1"), ("customer_id", "１２")],
        *[("customer_id", "9" * 13), ("priority", "3"), ("priority", "-1"), ("type", ""), ("date", "990230")],
        *[("date", "99010"), ("date", "1999-01-01"), ("vru_entry", "24:00:00"), ("vru_exit", "6:60:00")],
        *[("vru_time", "six"), ("q_start", "6:5:26"), ("q_exit", ""), ("q_time", "-17"), ("q_time", "604801")],
        *[("outcome", "agent"), ("outcome", ""), ("ser_start", "65543"), ("ser_exit", " 6:56:37"), ("ser_time", "+5")],
    ],
)
def test_a_wrong_field_is_named(field: str, text: str) -> None:
    row = read([text if name == field else value for name, value in zip(COLUMNS, GOOD, strict=True)])
    assert row == Reject(2, (Fault(field, "malformed"),))


def test_all_wrong_fields_are_named_and_the_line_counts_under_the_first() -> None:
    row = read(changed(date="x", q_time="y"))
    assert row == Reject(2, (Fault("date", "malformed"), Fault("q_time", "malformed")))
    assert isinstance(row, Reject)
    assert (row.field, row.code) == ("date", "malformed")


@pytest.mark.parametrize("fields", [GOOD[:-1], [*GOOD, ""], ["x"]])
def test_another_count_of_fields_is_malformed(fields: list[str]) -> None:
    assert read(fields) == Reject(2, (Fault("line", "malformed"),))


def test_phantom_and_no_ticket() -> None:
    assert read(changed(outcome="PHANTOM")) == Reject(2, (Fault("outcome", "phantom"),))
    assert read(changed(outcome="HANG", **NEVER_QUEUED)) == Reject(2, (Fault("outcome", "no_ticket"),))
    assert read(changed(outcome="PHANTOM", q_time="?")) == Reject(2, (Fault("q_time", "malformed"),))


def test_negative_menu_times_are_in_the_source() -> None:
    assert visit(vru_time="-37").wait_seconds == 17


def test_a_customer_id_out_of_a_spreadsheet_is_a_number_and_a_call_id_is_not() -> None:
    assert visit(customer_id="6.02E+11") == visit()
    assert read(changed(call_id="3.3118E+4")) == Reject(2, (Fault("call_id", "malformed"),))


def test_the_future_is_refused() -> None:
    assert read(changed(date="270101")) == Reject(2, (Fault("date", "in_future"),))


def test_the_header_is_the_first_line_or_missing() -> None:
    parser = AnonymousBank().parser(Context(SHANGHAI, NOW))
    assert isinstance(parser.parse(Line(1, ",".join(GOOD))), VisitRow)
    again = parser.parse(Line(2, ",".join(COLUMNS)))
    assert isinstance(again, Reject)
    assert (again.field, again.code) == ("vru+line", "malformed")


def test_the_original_tabs_are_read_too() -> None:
    parser = AnonymousBank().parser(Context(SHANGHAI, NOW))
    assert parser.parse(Line(1, "\t".join(COLUMNS))) is None
    assert parser.parse(Line(2, "\t".join(GOOD))) == visit()


def test_a_server_that_is_no_code_becomes_a_digest() -> None:
    row = visit(server="call Mrs Cohen back")
    assert row.staff_ref is not None
    assert row.staff_ref.startswith("ext:sha256-")
    assert "Cohen" not in row.staff_ref
    assert visit(server="").staff_ref is None
