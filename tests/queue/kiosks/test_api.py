"""Numbers on loan and their report, over HTTP, on both databases."""

from datetime import timedelta

import pytest

from shared.ids import uuid7
from tests.queue.kiosks.machine import Machine


async def test_leases_and_tickets_share_one_counter(either_hall):
    kiosk = Machine(either_hall)
    first = await kiosk.borrow(count=3)
    ticket = await either_hall.issue()
    second = await Machine(either_hall, "kiosk-2").borrow(count=2)
    numbers = (
        [each["number"] for each in first["numbers"]] + [ticket["number"]] + [n["number"] for n in second["numbers"]]
    )
    assert numbers == ["A001", "A002", "A003", "A004", "A005", "A006"]
    assert len({each["token"] for each in (*first["numbers"], *second["numbers"])}) == 5
    assert first["expires_at"] == "2026-03-02T16:00:00Z"  # midnight in Shanghai


async def test_what_happened_off_the_line_is_told_in_order_at_its_time(either_hall):
    hall, kiosk = either_hall, Machine(either_hall)
    lease = await kiosk.borrow()
    acts = []
    for number in range(3):
        acts.append(kiosk.took(lease, number))
        hall.tick(60)
    hall.tick(2700)
    results = await kiosk.report(acts)
    assert [each["result"] for each in results] == ["applied"] * 3
    waiting = (await hall.send("GET", "/branches/gz-001/waiting")).json()["items"]
    assert [(each["number"], each["issued_at"]) for each in waiting] == [
        ("A001", "2026-03-02T01:00:00Z"), ("A002", "2026-03-02T01:01:00Z"), ("A003", "2026-03-02T01:02:00Z"),
    ]  # fmt: skip
    told = await hall.told("queue.visit.opened")
    assert [event["data"]["issued_at"][:16] for event in told] == [
        "2026-03-02T01:00",
        "2026-03-02T01:01",
        "2026-03-02T01:02",
    ]
    link = (await hall.send("GET", f"/t/{lease['numbers'][1]['token']}")).json()
    assert (link["number"], link["ahead"], link["next_poll_s"]) == ("A002", 1, 5)


async def test_a_batch_sent_again_changes_nothing(either_hall):
    kiosk = Machine(either_hall)
    lease = await kiosk.borrow()
    acts = [kiosk.took(lease, 0), kiosk.help(), kiosk.took(lease, 1)]
    assert [each["result"] for each in await kiosk.report(acts[:2])] == ["applied", "applied"]
    again = await kiosk.report(acts)
    assert [each["result"] for each in again] == ["replayed", "replayed", "applied"]
    assert len(await either_hall.told("queue.visit.opened")) == 2
    calls = (await either_hall.send("GET", "/branches/gz-001/help-calls")).json()["items"]
    assert len(calls) == 1
    answered = (await either_hall.send("POST", f"/help-calls/{calls[0]['id']}/answer", staff="T0001")).json()
    assert answered["answered_at"]
    assert (await either_hall.send("GET", "/branches/gz-001/help-calls")).json()["items"] == []


async def test_who_calls_again_before_anybody_came_has_called_once(hall):
    kiosk, other = Machine(hall), Machine(hall, "kiosk-2")
    await kiosk.report([kiosk.help(), kiosk.help()])
    await kiosk.report([kiosk.help()])
    await other.report([other.help()])
    calls = (await hall.send("GET", "/branches/gz-001/help-calls")).json()["items"]
    assert len(calls) == 2
    for call in calls:
        answered = (await hall.send("POST", f"/help-calls/{call['id']}/answer", staff="T0001")).json()
        assert answered["answered_by"] == "T0001"
    hall.tick(60)
    again = (await hall.send("POST", f"/help-calls/{calls[0]['id']}/answer", staff="T0002")).json()
    assert (again["answered_by"], again["answered_at"]) == ("T0001", answered["answered_at"])
    await kiosk.report([kiosk.help()])
    assert len((await hall.send("GET", "/branches/gz-001/help-calls")).json()["items"]) == 1


@pytest.mark.parametrize(("skew", "offset"), [(420, -420_000), (-86_400, 86_400_000), (420, 0)])
async def test_a_wrong_clock_is_corrected_and_recorded(hall, skew, offset):
    """Seven minutes ahead, a day behind; without a measured offset what cannot be is moved to what can."""
    kiosk = Machine(hall)
    lease = await kiosk.borrow()
    hall.tick(30)
    act = kiosk.took(lease, 0, offset_ms=offset, clock=timedelta(seconds=skew))
    assert (await kiosk.report([act]))[0]["result"] == "applied"
    waiting = (await hall.send("GET", "/branches/gz-001/waiting")).json()["items"]
    assert waiting[0]["issued_at"] == "2026-03-02T01:00:30Z"


async def test_what_is_no_loan_is_refused_with_its_reason_and_holds_up_nobody(hall):
    kiosk, other = Machine(hall), Machine(hall, "kiosk-2")
    lease = await kiosk.borrow(count=2)
    good = kiosk.took(lease, 0)
    wrong = {
        "forged_lease": kiosk.took(lease, 1) | {"signature": "x" * 43},
        "number_not_leased": kiosk.took(lease, 1) | {"number": "A999"},
        "unknown_lease": kiosk.took(lease, 1) | {"lease": uuid7()},
        "number_used": kiosk.took(lease, 0),
    }
    results = await kiosk.report([good, *wrong.values()])
    assert [(each["result"], each["reason"]) for each in results] == [
        ("applied", None), *(("rejected", reason) for reason in wrong),
    ]  # fmt: skip
    stolen = await other.report([kiosk.took(lease, 1)])
    assert (stolen[0]["result"], stolen[0]["reason"]) == ("rejected", "unknown_lease")
    assert len(await hall.told("queue.visit.opened")) == 1
    repeated = await kiosk.report([wrong["forged_lease"]])
    assert (repeated[0]["result"], repeated[0]["reason"]) == ("rejected", "forged_lease")


async def test_a_loan_ends_with_the_business_day(hall):
    kiosk = Machine(hall)
    lease = await kiosk.borrow()
    hall.clock.set(hall.clock.now().replace(hour=15, minute=59, second=59))
    late = kiosk.took(lease, 0)
    hall.tick(1)
    later = kiosk.took(lease, 1)
    results = await kiosk.report([late, later])
    assert [(each["result"], each["reason"]) for each in results] == [("applied", None), ("rejected", "lease_expired")]


@pytest.mark.parametrize("change", [{"count": 41}, {"count": 0}, {"service": "nothing"}, {"unit": "gz-002"}])
async def test_a_wrong_request_for_numbers_takes_none(hall, change):
    kiosk = Machine(hall)
    answer = await kiosk.send("/kiosks/lease", {"unit": "gz-001", "service": "cash"} | change, expect=None)
    assert answer.status_code in (404, 409, 422)
    assert (await kiosk.borrow(count=1))["numbers"][0]["number"] == "A001"


async def test_the_waits_equal_what_a_ticket_is_told(hall):
    await hall.open(1, "T0001", "cash", "wealth")
    for service in ("cash", "wealth", "cash"):
        await hall.issue(service)
    waits = (await hall.send("GET", "/branches/gz-001/waits", "kiosk")).json()["services"]
    seen = {each["service"]: each for each in waits}
    for service in ("cash", "info"):
        known = seen[service]
        ticket = await hall.issue(service)
        assert (known["ahead"], known["p50"], known["p80"]) == (
            ticket["ahead"],
            ticket["quote"]["p50"],
            ticket["quote"]["p80"],
        )
    assert (seen["cash"]["windows"], seen["info"]["windows"], len(seen["cash"]["next"])) == (1, 0, 40)
