"""What ends by the clock: a certificate during a break, a business day with a window left open, a branch for good."""

from datetime import timedelta

import pytest

from shared.testing.bank import learn, person, qualification, unit


async def state(hall, no="1"):
    windows = (await hall.send("GET", f"/branches/{hall.unit}/windows")).json()["items"]
    return next(window for window in windows if window["no"] == no)


@pytest.mark.guide("1.2a")
async def test_a_certificate_that_ends_during_the_break_is_asked_for_at_the_resumption(hall):
    ends = hall.clock.now() + timedelta(minutes=30)
    await learn(hall.db, person("T0050", "gz-001"), qualification("T0050", "counter", valid_to=ends))
    await hall.open(1, "T0050", "cash")
    await hall.window(1, "break", "T0050")
    hall.clock.set(ends)
    refused = (await hall.window(1, "resume", "T0050", expect=409)).json()
    assert (refused["code"], refused["missing"]) == ("not_qualified", ["counter"])
    assert (await state(hall))["state"] == "break"
    assert len(await hall.told("queue.control.refused")) == 1


async def test_a_window_left_open_is_closed_with_the_business_day_and_told(hall):
    await hall.open(1, "T0001", "cash")
    hall.clock.advance(timedelta(hours=14, minutes=59))
    await hall.running.settle()
    assert (await state(hall))["state"] == "open"
    hall.clock.advance(timedelta(minutes=1))
    await hall.running.settle()
    assert ((await state(hall))["state"], (await state(hall))["staff_id"]) == ("closed", None)
    assert len(await hall.told("queue.window.closed")) == 1


async def test_a_window_with_a_customer_stays_open_over_the_end_of_the_day(hall):
    await hall.open(1, "T0001", "cash")
    await hall.issue()
    visit = await hall.call(1)
    await hall.act(visit["id"], "start")
    hall.clock.advance(timedelta(hours=16))
    await hall.running.settle()
    assert (await state(hall))["state"] == "open"
    await hall.act(visit["id"], "finish")
    await hall.running.settle()
    assert (await state(hall))["state"] == "closed"


async def test_a_branch_closed_for_good_issues_no_ticket_and_opens_no_window(hall):
    gone = unit("gz-001", "prov-gd", "/hq/prov-gd/gz-001/").model_copy(update={"valid_to": hall.clock.now()})
    await learn(hall.db, gone, sequence=2)
    for role, path, body in (
        ("kiosk", "/branches/gz-001/tickets", {"service": "cash"}),
        ("teller", "/branches/gz-001/windows/1/open", {"services": ["cash"]}),
    ):
        answer = await hall.send("POST", path, role, staff="T0001" if role == "teller" else None, json=body, expect=409)
        assert answer.json()["code"] == "unit_not_in_force"
