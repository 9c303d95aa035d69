"""Business days of tickets: cut-offs after midnight, changes of the clocks, and the end of the day."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.queue.tickets.models import Visit
from shared.db.statements import table

visit = table(Visit)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DAYS = {
    "midnight in Shanghai": ("gz-001", [
        ("2026-03-02 15:59:59", "2026-03-02", "A001"), ("2026-03-02 16:00:00", "2026-03-03", "A001"),
        ("2026-03-02 16:00:01", "2026-03-03", "A002"),
    ]),
    "cut-off at 02:00": ("night-001", [
        ("2026-03-02 15:59:00", "2026-03-02", "A001"), ("2026-03-02 16:01:00", "2026-03-02", "A002"),
        ("2026-03-02 17:59:59", "2026-03-02", "A003"), ("2026-03-02 18:00:00", "2026-03-03", "A001"),
    ]),
    "Berlin skips the hour of its cut-off": ("be-001", [
        ("2026-03-28 22:00:00", "2026-03-28", "A001"), ("2026-03-29 00:59:59", "2026-03-28", "A002"),
        ("2026-03-29 01:00:00", "2026-03-29", "A001"), ("2026-03-29 23:59:59", "2026-03-29", "A002"),
        ("2026-03-30 00:00:00", "2026-03-30", "A001"),
    ]),
    "Berlin has the hour of its cut-off twice": ("be-001", [
        ("2026-10-24 23:59:59", "2026-10-24", "A001"), ("2026-10-25 00:00:00", "2026-10-25", "A001"),
        ("2026-10-25 01:00:00", "2026-10-25", "A002"), ("2026-10-26 00:59:59", "2026-10-25", "A003"),
        ("2026-10-26 01:00:00", "2026-10-26", "A001"),
    ]),
    "St. John's in spring, half an hour off": ("sj-001", [
        ("2026-03-08 05:29:59", "2026-03-07", "A001"), ("2026-03-08 05:30:00", "2026-03-08", "A001"),
        ("2026-03-09 04:29:59", "2026-03-08", "A002"), ("2026-03-09 04:30:00", "2026-03-09", "A001"),
    ]),
    "St. John's in autumn": ("sj-001", [
        ("2026-11-01 04:29:59", "2026-10-31", "A001"), ("2026-11-01 04:30:00", "2026-10-31", "A002"),
        ("2026-11-01 05:29:59", "2026-10-31", "A003"), ("2026-11-01 05:30:00", "2026-11-01", "A001"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", DAYS)
async def test_numbers_restart_once_with_the_branch_s_business_day(hall, case):
    unit, expected = DAYS[case]
    branch = hall.at(unit)
    for at, day, number in expected:
        hall.clock.set(utc(at))
        ticket = await branch.issue()
        assert (at, ticket["business_date"], ticket["number"]) == (at, day, number)


async def test_yesterday_s_ticket_is_never_called_and_is_closed_by_the_loop(hall):
    await hall.open(1, "T0001", "cash")
    called, waiting = await hall.issue(), await hall.issue()
    await hall.call(1)
    hall.clock.set(utc("2026-03-02 16:00:00"))
    today = await hall.issue()
    assert (today["number"], today["ahead"]) == ("A001", 0)
    assert [w["id"] for w in (await hall.send("GET", "/branches/gz-001/waiting")).json()["items"]] == [today["id"]]
    await hall.running.settle()
    for old in (called, waiting):
        seen = await hall.visit(old["id"])
        assert (seen["status"], seen["end_cause"], seen["business_date"]) == ("left", "day_closed", "2026-03-02")
    assert {e["data"]["end_cause"] for e in await hall.told("queue.visit.abandoned")} == {"day_closed"}
    assert (await hall.visit(today["id"]))["status"] == "waiting"
    # The window left open was closed with its day.
    await hall.open(1, "T0001", "cash")
    assert (await hall.call(1))["id"] == today["id"]
    told = len(await hall.told())
    await hall.running.settle()
    assert len(await hall.told()) == told


async def test_a_visit_left_in_service_overnight_was_served_and_nobody_knows_how_long(hall):
    await hall.open(1, "T0001", "cash")
    forgotten = await hall.issue()
    await hall.call(1)
    await hall.act(forgotten["id"], "start")
    started = (await hall.visit(forgotten["id"]))["started_at"]
    for at in ("2026-03-02 16:00:00", "2026-03-02 17:59:59"):
        hall.clock.set(utc(at))
        await hall.running.settle()
        assert (await hall.visit(forgotten["id"]))["status"] == "serving", "the teller may still be at it"
    hall.clock.set(utc("2026-03-02 18:00:00"))
    await hall.running.settle()
    seen = await hall.visit(forgotten["id"])
    assert (seen["status"], seen["end_cause"], seen["business_date"]) == ("served", "day_closed", "2026-03-02")
    assert (seen["started_at"], seen["finished_at"], seen["left_at"]) == (started, None, None)
    assert (seen["handling_seconds"], seen["staff_id"], seen["window"]) == (None, "T0001", "1")
    [event] = await hall.told("queue.visit.completed")
    assert (event["data"]["end_cause"], event["data"]["handling_seconds"]) == ("day_closed", None)
    assert await hall.told("queue.visit.abandoned") == []
    # Its window was freed and closed with it, and serves again in the morning.
    await hall.open(1, "T0001", "cash")
    today = await hall.issue()
    assert (await hall.call(1))["id"] == today["id"]


async def test_a_service_that_spans_the_end_of_the_day_is_finished_by_its_teller(hall):
    await hall.open(1, "T0001", "cash")
    late = await hall.issue()
    await hall.call(1)
    await hall.act(late["id"], "start")
    hall.clock.set(utc("2026-03-02 16:20:00"))
    await hall.running.settle()
    await hall.act(late["id"], "finish")
    seen = await hall.visit(late["id"])
    assert (seen["status"], seen["end_cause"], seen["business_date"]) == ("served", None, "2026-03-02")
    assert seen["handling_seconds"] > 0


async def test_a_ticket_of_yesterday_is_not_called_even_before_the_loop_has_run(hall):
    await hall.open(1, "T0001", "cash")
    await hall.issue()
    hall.clock.set(utc("2026-03-02 16:00:00"))
    assert await hall.call(1) is None


async def test_each_branch_closes_its_own_day(hall):
    night = hall.at("night-001")
    early, late = await hall.issue(), await night.issue()
    hall.clock.set(utc("2026-03-02 17:00:00"))
    await hall.running.settle()
    states = {row.id: row.status for row in await hall.rows(sa.select(visit))}
    assert states == {early["id"]: "left", late["id"]: "waiting"}
    hall.clock.set(utc("2026-03-02 18:00:00"))
    await hall.running.settle()
    assert (await night.visit(late["id"]))["end_cause"] == "day_closed"


async def test_many_who_still_wait_elsewhere_do_not_keep_a_branch_from_closing(hall, monkeypatch):
    """A crowd at a branch whose day goes on must not fill the loop's batch."""
    monkeypatch.setattr("services.queue.tickets.closing.BATCH", 3)
    for _ in range(5):
        await hall.at("be-001").issue()
    orphans = [await hall.issue() for _ in range(7)]
    hall.clock.set(utc("2026-03-02 16:00:00"))
    await hall.running.settle()
    states = {row.id: row.status for row in await hall.rows(sa.select(visit))}
    assert {states[orphan["id"]] for orphan in orphans} == {"left"}
    assert sorted(states.values()) == ["left"] * 7 + ["waiting"] * 5


async def test_a_branch_that_the_replica_does_not_know_holds_nobody_else_up(hall):
    orphan = await hall.issue()
    await hall.db.write(lambda uow: uow.execute(sa.update(visit).values(unit="aa-gone")), actor="test")
    known = await hall.issue()
    hall.clock.set(utc("2026-03-02 16:00:00"))
    await hall.running.settle()
    states = {row.id: row.status for row in await hall.rows(sa.select(visit))}
    assert states == {orphan["id"]: "waiting", known["id"]: "left"}
