"""The states of a visit, numbers and durations, as pure rules."""

from datetime import UTC, datetime, timedelta

from services.queue.tickets.printing import lines, minutes_up, qr_text
from services.queue.tickets.rules import MOVES, allowed, lasted, ticket_number
from services.queue.tickets.schemas import Quote
from shared.contracts.queue import VisitStatus

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
FINAL = {VisitStatus.SERVED, VisitStatus.NO_SHOW, VisitStatus.LEFT}


def test_a_final_state_allows_nothing_and_every_other_state_leads_to_an_end():
    assert {status for status in VisitStatus if not allowed(status)} == FINAL
    reaches = {status: {MOVES[act][1] for act in allowed(status)} for status in VisitStatus}
    assert all(reaches[status] & FINAL for status in set(VisitStatus) - FINAL)


def test_no_act_calls_a_visit_or_brings_one_back():
    assert {VisitStatus.WAITING} & {after for _, after in MOVES.values()} == set()
    assert [act for act, (_, after) in MOVES.items() if after is VisitStatus.CALLED] == ["recall"]


def test_numbers_have_three_digits_and_grow_beyond():
    assert [ticket_number("A", n) for n in (1, 7, 999, 1000)] == ["A001", "A007", "A999", "A1000"]
    assert ticket_number("AB", 12) == "AB012"


def test_nothing_lasts_less_than_nothing():
    assert [lasted(NOON, NOON + timedelta(milliseconds=millis)) for millis in (-700, 0, 499, 500)] == [0, 0, 0, 1]


def test_minutes_are_rounded_up():
    assert [minutes_up(s) for s in (0, 1, 60, 61, 3600)] == [0, 1, 1, 2, 60]


def slip(quote):
    return lines(
        number="A007", name_zh="现金业务", name_en="Cash", ahead=3, quote=quote, issued_at=NOON, zone="America/St_Johns"
    )


def test_the_slip_says_number_service_place_wait_and_the_branch_s_local_time():
    printed = slip(Quote(p50=95, p80=200))
    assert printed[:2] == ["A007", "现金业务 Cash"]
    assert "3" in printed[2]
    assert "2-4 分钟" in printed[3]
    assert printed[4] == "2026-03-02 00:30:00"
    assert " 2 分钟" in slip(Quote(p50=95, p80=110))[3]
    assert "马上 about now" in slip(Quote(p50=0, p80=60))[3]
    assert "--" in slip(Quote(p50=None, p80=None, reason="no_server"))[3]


def test_the_code_holds_the_link_and_nothing_else():
    assert qr_text("https://bank.example", "t" * 22) == f"https://bank.example/queue/t/{'t' * 22}"
