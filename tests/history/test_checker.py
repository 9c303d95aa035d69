"""The checker finds every planted violation, and accepts whatever overlapping operations allow."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.history import checker
from tests.history.operations import Operation, read

HEAD_START = {"ordinary": 0.0, "care": 900.0}
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


class Day:
    """Writes a history in which everything is right; a test changes one thing."""

    def __init__(self):
        self.history = []
        self.at = 0.0
        self.open("1", ["cash", "account"])

    def _add(self, act, client, reply=None, *, took=1.0, **where):
        operation = Operation(client, act, self.at, ended=self.at + took, status=200, reply=reply, **where)
        self.history.append(operation)
        self.at += took + 1
        return operation

    def open(self, no, services):
        return self._add("open", "T1", {"state": "open", "services": services}, unit="gz", no=no)

    def issue(self, count, *, service="cash", class_="ordinary", **more):
        issued_at = NOON + timedelta(seconds=self.at)
        reply = {
            "id": f"v{count}", "number": f"A{count:03d}", "status": "waiting", "business_date": "2026-03-02",
            "service": service, "class": class_, "issued_at": issued_at.isoformat(),
        }  # fmt: skip
        return self._add("issue", "kiosk", reply, unit="gz", **more)

    def call(self, count, no="1", **more):
        reply = None if not count else {
            "id": f"v{count}", "number": f"A{count:03d}", "status": "called", "version": 2,
            "business_date": "2026-03-02",
        }  # fmt: skip
        return self._add("call-next", "T1", reply, unit="gz", no=no, **more)

    def act(self, verb, count, status, version, client="T1"):
        reply = {"id": f"v{count}", "number": f"A{count:03d}", "status": status, "version": version}
        return self._add(verb, client, reply, visit=f"v{count}")

    def faults(self):
        return checker.faults(sorted(self.history, key=lambda one: one.begun), HEAD_START)


@pytest.fixture
def day():
    """Three customers, of whom two are served in their order and one leaves."""
    made = Day()
    for count in (1, 2, 3):
        made.issue(count)
    made.call(1)
    made.act("start", 1, "serving", 3)
    made.act("finish", 1, "served", 4)
    made.call(2)
    made.act("leave", 3, "left", 2, client="kiosk")
    made.call(0)
    made.act("read", 2, "called", 2)
    return made


def test_a_right_history_has_no_faults(day):
    assert day.faults() == []
    assert checker.sizes(day.history) == {
        "operations": 11, "unanswered": 0, "tickets": 3, "calls": 2, "reads": 1, "clients": 2,
    }  # fmt: skip


def the_only_fault(day):
    (fault,) = day.faults()
    return fault


def test_a_number_given_twice_is_found(day):
    day.issue(4).reply["number"] = "A002"
    assert "given twice: [2]" in day.faults()[0]


def test_a_gap_is_found_unless_an_unanswered_issue_explains_it(day):
    day.issue(5)
    day.act("leave", 5, "left", 2)
    assert "gaps: [4]" in the_only_fault(day)
    lost = day.issue(4)
    lost.ended, lost.status, lost.reply = float("inf"), 0, None
    assert day.faults() == []


def test_a_number_out_of_time_is_found_and_of_overlapping_issues_is_not(day):
    late = day.issue(5)
    early = day.issue(4)
    for count in (4, 5):
        day.act("leave", count, "left", 2)
    assert "4 was given after 5" in the_only_fault(day)
    late.ended = early.begun + 0.5
    assert day.faults() == []


def test_other_days_branches_and_prefixes_count_for_themselves(day):
    for name, value in (("business_date", "2026-03-03"), ("number", "B001")):
        issued = day.issue(1)
        issued.reply |= {"id": f"other-{name}", name: value}
    elsewhere = day.issue(1)
    elsewhere.unit, elsewhere.reply["id"] = "bj", "elsewhere"
    assert day.faults() == []


@pytest.mark.parametrize("again", ["call", "start", "finish", "issue"])
def test_what_happens_twice_is_found(day, again):
    if again == "call":
        day.call(2, "2")
    elif again == "issue":
        day.issue(4).reply["id"] = "v3"
    else:
        day.act(again, 1, "served", 5)
    assert any(("twice" in f) or ("2 times" in f) for f in day.faults())


def test_two_different_ends_are_found(day):
    day.act("leave", 1, "left", 5)
    assert "ended as ['finish', 'leave']" in " ".join(day.faults())


def test_a_call_out_of_order_is_found(day):
    day.issue(4)
    day.issue(5)
    day.call(5)
    day.call(4)
    assert "A005 was called before A004" in the_only_fault(day)


def test_a_head_start_is_the_policy_and_its_neglect_a_fault(day):
    day.issue(4)
    day.issue(5, class_="care")
    right = [day.call(5), day.call(4)]
    assert day.faults() == []
    for one, count in zip(right, (4, 5), strict=True):
        one.reply |= {"id": f"v{count}", "number": f"A{count:03d}"}
    assert "A004 was called before A005" in the_only_fault(day)


def test_who_is_not_served_at_the_window_may_be_passed_over(day):
    day.issue(4, service="fx")
    day.issue(5)
    day.call(5)
    day.call(0)
    assert day.faults() == []
    day.open("1", ["fx", "cash"])
    day.issue(6)
    day.call(6)
    assert "A006 was called before A004" in the_only_fault(day)


def test_nobody_waits_is_a_lie_when_somebody_certainly_does(day):
    day.issue(4)
    day.call(0)
    assert "nobody waits while A004 did" in the_only_fault(day)


def test_overlapping_issues_calls_and_departures_may_come_in_any_order(day):
    first = day.issue(4)
    second = day.issue(5)
    later = day.call(5)
    earlier = day.call(4)
    assert day.faults()
    first.ended = later.begun + 0.5  # issued while the call ran
    assert day.faults() == []
    first.ended = second.begun - 0.5
    earlier.begun = later.begun + 0.5  # both windows called at once
    assert day.faults() == []


def test_a_call_without_an_answer_may_have_taken_whoever_is_missing(day):
    lost = day.call(4)
    day.issue(4)
    lost.begun, lost.ended, lost.status, lost.reply = day.at, float("inf"), 0, None
    day.at += 1
    day.issue(5)
    day.call(5)
    assert day.faults() == []
    day.call(4)  # it was waiting all the time, then
    assert "A005 was called before A004" in the_only_fault(day)


def test_a_read_behind_an_acknowledged_write_is_found(day):
    day.act("read", 1, "serving", 3)
    assert "T1 saw version 3 after its own acknowledged version 4" in the_only_fault(day)
    day.history[-1].client = "manager"
    assert "manager saw version 3 after an acknowledged version 4" in the_only_fault(day)
    day.history[-1].begun = day.history[6].begun  # it had been asked before the last write was answered
    assert day.faults() == []


def test_a_state_that_goes_back_is_found(day):
    day.act("read", 1, "called", 4)
    assert "saw called after served" in the_only_fault(day)


def test_lines_are_read_as_operations_by_their_key():
    line = {"client": "T1", "method": "POST", "path": "/queue/v1/branches/gz/windows/2/call-next"}
    lines = [
        {"at": 1.0, "kind": "invoke", "key": "k", **line},
        {"at": 2.0, "kind": "invoke", "key": "k", **line},
        {"at": 2.5, "kind": "invoke", "key": "s", **line, "path": "/queue/v1/branches/gz/services"},
        {"at": 3.0, "kind": "answer", "key": "k", "status": 204, "reply": None},
        {"at": 4.0, "kind": "invoke", "key": "l", **line},
    ]
    called, lost = read(map(json.dumps, lines))
    assert (called.begun, called.ended, called.act, called.unit, called.no, called.done) == (
        1.0, 3.0, "call-next", "gz", "2", True,
    )  # fmt: skip
    assert not lost.answered and lost.possible
