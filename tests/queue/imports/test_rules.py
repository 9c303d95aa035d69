"""Identity, number and fingerprint of imported visits."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.queue.imports import rules
from services.queue.imports.rows import VisitRow

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROW = VisitRow(
    external_key="k1", business_date=date(2026, 3, 2), service="PS", ticket_class="vip", channel="counter",
    outcome="served", issued_at=AT, called_at=AT + timedelta(seconds=60), started_at=None, finished_at=None,
    left_at=None, wait_seconds=60, handling_seconds=30, staff_ref="ext:TOVA", window=None,
)  # fmt: skip
KEYS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/+#-]{0,127}\Z")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")


@given(KEYS, KEYS)
def test_numbers_are_codes_and_never_collide(one: str, other: str) -> None:
    for source in ("canonical", "anonymous-bank"):
        number = rules.visit_number(source, one)
        assert CODE.fullmatch(number)
        assert ":" in number  # a live number has none
        assert (number == rules.visit_number(source, other)) == (one == other)
    assert rules.visit_number("canonical", one) != rules.visit_number("anonymous-bank", one)


def test_keys_that_look_alike_have_numbers_of_their_own() -> None:
    keys = ("a/b", "a:b", "a#b", "a+b", "x" * 127 + "/", "x" * 127 + ":", "x" * 56, "x" * 57)
    assert len({rules.visit_number("canonical", key) for key in keys}) == len(keys)
    assert rules.visit_number("anonymous-bank", "AA0101/33118/990101") == "ab:AA0101:33118:990101"


def test_our_two_formats_share_their_keys() -> None:
    ids = {rules.visit_id(rules.source_of(name), "gz-001", "k") for name in ("canonical-csv", "canonical-ndjson")}
    assert len(ids) == 1
    assert rules.visit_id("anonymous-bank", "gz-001", "k") not in ids
    assert rules.visit_id("canonical", "gz-002", "k") not in ids


def test_what_changes_a_visit() -> None:
    same, other = rules.content(ROW, "f" * 64, 5), rules.content(replace(ROW, wait_seconds=61), "f" * 64, 9)
    assert rules.changes(None, same)
    assert not rules.changes(same, rules.content(ROW, "0" * 64, 77))
    assert rules.changes(same, other)
    assert not rules.changes(other, same)  # superseded by a later line of the same file
    assert rules.changes(other, rules.content(ROW, "0" * 64, 5))


def test_columns_of_a_visit() -> None:
    visit = rules.columns(ROW, source="canonical", unit="gz-001")
    assert (visit["order_at"], visit["channel"], visit["calls"], visit["end_cause"]) == (AT, "staff", 1, None)
    bank = rules.columns(replace(ROW, outcome="left", called_at=None), source="anonymous-bank", unit="gz-001")
    assert (bank["order_at"], bank["calls"], bank["end_cause"]) == (AT - timedelta(seconds=180), 0, "customer")
    assert rules.ended_at(ROW) == AT + timedelta(seconds=90)
