"""Our own formats: each column's rule, the header, and that CSV and NDJSON read the same record alike."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.queue.imports.formats.canonical import COLUMNS
from services.queue.imports.formats.registry import FORMATS
from services.queue.imports.lines import Line
from services.queue.imports.rows import Context, Fault, Reject, VisitRow

CONTEXT = Context(ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 25, tzinfo=UTC))
SERVED = {
    "external_key": "old/4711",
    "business_date": "2026-03-02",
    "service": "cash",
    "class": "vip",
    "channel": "app",
    "outcome": "served",
    "issued_at": "2026-03-02T09:00:00+08:00",
    "called_at": "2026-03-02T09:04:10.5+08:00",
    "started_at": "2026-03-02T01:05:00Z",
    "finished_at": "2026-03-02T01:09:59.499Z",
    "staff_ref": "T07",
    "window": "3",
}
LEFT = {
    **{name: SERVED[name] for name in ("external_key", "business_date", "service", "issued_at")},
    "outcome": "left",
    "left_at": "2026-03-02T09:10:00+08:00",
}


def csv(record: dict[str, str]) -> VisitRow | Reject | None:
    parser = FORMATS["canonical-csv"].parser(CONTEXT)
    return parser.parse(Line(7, ",".join(record.get(column, "") for column in COLUMNS)))


def ndjson(record: dict[str, object]) -> VisitRow | Reject | None:
    return FORMATS["canonical-ndjson"].parser(CONTEXT).parse(Line(7, json.dumps(record)))


def faults(record: dict[str, str]) -> list[tuple[str, str]]:
    row = csv(record)
    assert row == ndjson({**record})
    assert isinstance(row, Reject), row
    assert row.line_no == 7
    return [(fault.field, fault.code) for fault in row.faults]


def test_a_served_visit() -> None:
    row = csv(SERVED)
    assert (
        row
        == ndjson({**SERVED})
        == VisitRow(
            external_key="old/4711",
            business_date=date(2026, 3, 2),
            service="cash",
            ticket_class="vip",
            channel="app",
            outcome="served",
            issued_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
            called_at=datetime(2026, 3, 2, 1, 4, 10, 500_000, tzinfo=UTC),
            started_at=datetime(2026, 3, 2, 1, 5, tzinfo=UTC),
            finished_at=datetime(2026, 3, 2, 1, 9, 59, 499_000, tzinfo=UTC),
            left_at=None,
            wait_seconds=251,  # 250.5 rounded half up
            handling_seconds=299,
            staff_ref="ext:T07",
            window="3",
        )
    )


def test_one_who_left_with_the_defaults() -> None:
    row = csv(LEFT)
    assert isinstance(row, VisitRow)
    assert (row.ticket_class, row.channel, row.wait_seconds, row.handling_seconds) == ("ordinary", "kiosk", 600, None)


def test_a_stated_handling_time_goes_before_the_clocks() -> None:
    stated = csv({**SERVED, "handling_seconds": "17"})
    assert stated == ndjson({**SERVED, "handling_seconds": 17})
    assert isinstance(stated, VisitRow)
    assert stated.handling_seconds == 17
    no_times = csv({**SERVED, "started_at": "", "finished_at": ""})
    assert isinstance(no_times, VisitRow)
    assert no_times.handling_seconds is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"external_key": ""}, [("external_key", "missing")]),
        ({"external_key": "a b"}, [("external_key", "malformed")]),
        ({"business_date": "02.03.2026"}, [("business_date", "malformed")]),
        ({"business_date": "2026-02-29"}, [("business_date", "malformed")]),
        ({"business_date": "2026-03-03"}, [("business_date", "inconsistent")]),
        ({"business_date": "2026-02-28"}, [("business_date", "inconsistent")]),
        ({"service": "现金"}, [("service", "malformed")]),
        ({"channel": "fax"}, [("channel", "unknown_value")]),
        ({"outcome": "served!"}, [("outcome", "malformed")]),
        ({"outcome": "gone"}, [("outcome", "unknown_value")]),
        ({"issued_at": "2026-03-02T09:00:00"}, [("issued_at", "malformed")]),
        ({"issued_at": "2026-03-02 09:00:00+08:00"}, [("issued_at", "malformed")]),
        ({"issued_at": "2026-03-02T24:00:00Z"}, [("issued_at", "malformed")]),
        ({"issued_at": "0001-01-01T00:00:00+23:00"}, [("issued_at", "malformed")]),
        ({"called_at": ""}, [("called_at", "missing")]),
        ({"called_at": "2026-03-02T08:59:59+08:00"}, [("called_at", "out_of_order")]),
        ({"started_at": "2026-03-02T01:04:10Z"}, [("started_at", "out_of_order")]),
        ({"finished_at": "2026-03-02T01:04:59Z"}, [("finished_at", "out_of_order")]),
        ({"finished_at": "2026-03-09T01:00:01Z"}, [("finished_at", "out_of_range")]),
        ({"finished_at": "2026-11-25T00:02:01Z"}, [("finished_at", "in_future")]),
        ({"left_at": "2026-03-02T09:30:00+08:00"}, [("left_at", "not_allowed")]),
        ({"window": "no. 3"}, [("window", "malformed")]),
        ({"outcome": "no_show"}, [("started_at", "not_allowed"), ("finished_at", "not_allowed")]),
        ({"service": "", "window": "?"}, [("service", "missing"), ("window", "malformed")]),
    ],
)
def test_a_wrong_field_is_named_with_its_code(change: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert faults({**SERVED, **change}) == expected


def test_handling_must_be_a_number_of_at_most_a_week() -> None:
    for value in (-1, 1.5, "17", True, 10**30):
        assert ndjson({**SERVED, "handling_seconds": value}) == Reject(7, (Fault("handling_seconds", "malformed"),))
    assert csv({**SERVED, "handling_seconds": "604801"}) == Reject(7, (Fault("handling_seconds", "out_of_range"),))


def test_the_small_hours_may_belong_to_the_day_before() -> None:
    night = {**LEFT, "issued_at": "2026-03-03T00:30:00+08:00", "left_at": "2026-03-03T00:31:00+08:00"}
    assert isinstance(csv(night), VisitRow)


def test_the_header_sets_the_order() -> None:
    parser = FORMATS["canonical-csv"].parser(CONTEXT)
    assert parser.parse(Line(1, ",".join(reversed(LEFT)))) is None
    assert parser.parse(Line(2, ",".join(f'"{value}"' for value in reversed(LEFT.values())))) == csv(LEFT)
    assert parser.parse(Line(3, "a,b")) == Reject(3, (Fault("line", "malformed"),))


@pytest.mark.parametrize(("extra", "code"), [("phone", "unknown_field"), ("service", "malformed")])
def test_a_wrong_header_rejects_every_line(extra: str, code: str) -> None:
    parser = FORMATS["canonical-csv"].parser(CONTEXT)
    assert parser.parse(Line(1, ",".join([*LEFT, extra]))) is None
    for number in (2, 3):
        row = parser.parse(Line(number, ",".join([*LEFT.values(), "x"])))
        assert isinstance(row, Reject)
        assert (row.line_no, row.field, row.code) == (number, "header", code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[("[]", "malformed"), ("1", "malformed"), ("{", "malformed"), ('{"service":"a","service":"b"}', "malformed")],
        ('{"name":"Li"}', "unknown_field"),
    ],
)
def test_a_line_that_is_no_record(text: str, code: str) -> None:
    row = FORMATS["canonical-ndjson"].parser(CONTEXT).parse(Line(7, text))
    assert isinstance(row, Reject)
    assert (row.field, row.code) == ("line", code)


def test_members_of_another_type_are_malformed_and_null_is_absent() -> None:
    assert ndjson({**SERVED, "window": 3}) == Reject(7, (Fault("window", "malformed"),))
    assert ndjson({**SERVED, "service": {"a": []}}) == Reject(7, (Fault("service", "malformed"),))
    assert ndjson({**SERVED, "service": "\ud800"}) == Reject(7, (Fault("service", "malformed"),))
    assert ndjson({**SERVED, "left_at": None}) == csv(SERVED)
