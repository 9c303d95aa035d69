"""Tickets over HTTP: what a kiosk and a teller rely on, in the order of calling, however many come at once."""

import asyncio
from collections import defaultdict

import pytest
import sqlalchemy as sa

from services.queue.tickets.models import Visit
from shared.db.statements import table

visit = table(Visit)


async def test_a_ticket_tells_all_that_the_contract_names(hall):
    await hall.open(1, "T0001", "cash")
    answer = await hall.send(
        "POST", "/branches/gz-001/tickets", "kiosk", json={"service": "cash", "channel": "kiosk"}, expect=201
    )
    ticket = answer.json()
    assert answer.headers["location"] == f"/queue/v1/visits/{ticket['id']}"
    assert {"id", "number", "status", "ahead", "quote", "token", "print", "qr"} <= set(ticket)
    assert (ticket["number"], ticket["status"], ticket["ahead"], ticket["class"]) == ("A001", "waiting", 0, "ordinary")
    assert ticket["quote"] == {"p50": 0, "p80": 60, "reason": None}  # the window is free: about now
    assert "马上 about now" in ticket["print"][3]
    assert ticket["business_date"] == "2026-03-02"
    assert ticket["print"][0] == "A001"
    assert len(ticket["token"]) == 22
    assert ticket["qr"].endswith(f"/t/{ticket['token']}")
    second = await hall.issue()
    assert (second["number"], second["ahead"]) == ("A002", 1)
    assert second["quote"]["p50"] > ticket["quote"]["p50"]
    (opened, _) = await hall.told("queue.visit.opened")
    assert (opened["subject"], opened["sequence"], opened["data"]["number"]) == (ticket["id"], 1, "A001")


async def test_a_ticket_is_refused_for_what_the_branch_does_not_offer(hall):
    path = "/branches/gz-001/tickets"
    for body, status, code in (
        ({"service": "gold"}, 409, "service_not_offered"),
        ({"service": "cash", "class": "royal"}, 422, "invalid_request"),
        ({"service": "cash", "channel": "pigeon"}, 422, "invalid_request"),
        ({"service": "cash", "name": "somebody"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ):
        answer = await hall.send("POST", path, "kiosk", json=body, expect=status)
        assert answer.json()["code"] == code
    await hall.send("PUT", "/branches/gz-001/services/info", "head_office", json={"offered": False}, units=("hq",))
    answer = await hall.send("POST", path, "kiosk", json={"service": "info"}, expect=409)
    assert answer.json()["code"] == "service_not_offered"
    assert await hall.rows(sa.select(visit)) == []


async def test_parallel_tickets_have_gapless_numbers(either_hall):
    hall = either_hall
    wanted = [("gz-001", "cash"), ("gz-001", "wealth"), ("gz-002", "cash")] * 20
    refused = hall.send("POST", "/branches/gz-001/tickets", "kiosk", json={"service": "gold"}, expect=409)
    *tickets, _ = await asyncio.gather(*(hall.at(unit).issue(service) for unit, service in wanted), refused)
    numbers = defaultdict(list)
    for (unit, service), ticket in zip(wanted, tickets, strict=True):
        numbers[unit, service].append(ticket["number"])
    for (_, service), given in numbers.items():
        prefix = {"cash": "A", "wealth": "B"}[service]
        assert sorted(given) == [f"{prefix}{n:03d}" for n in range(1, 21)]
    stored = await hall.rows(sa.select(visit.c.unit, visit.c.number))
    assert len({(row.unit, row.number) for row in stored}) == len(wanted) == len(stored)


@pytest.mark.guide("2.2c", "7.2a")
async def test_the_order_of_calling_is_issue_time_less_head_start(hall):
    await hall.open(1, "T0001", "cash")
    numbers = []
    for cls in ("ordinary", "ordinary", "care", "vip", "ordinary"):
        numbers.append((await hall.issue("cash", cls))["number"])
        hall.tick(200)
    # Issued at 0, 200, 400, 600, 800 s; with head starts of 300 and 600 s: 0, 200, 100, 0, 800.
    waiting = (await hall.send("GET", "/branches/gz-001/waiting")).json()["items"]
    order = ["A001", "A004", "A003", "A002", "A005"]
    assert [item["number"] for item in waiting] == order
    called = []
    while (found := await hall.call(1)) is not None:
        called.append(found["number"])
        await hall.act(found["id"], "no-show")
    assert called == order


async def test_the_waiting_list_comes_in_pages_in_the_same_order(hall):
    issued = [(await hall.issue("cash"))["number"] for _ in range(5)]
    seen, cursor = [], {}
    while True:
        body = (await hall.send("GET", "/branches/gz-001/waiting", params={"limit": 2} | cursor)).json()
        seen += [item["number"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = {"cursor": body["next"]}
    assert seen == issued


@pytest.mark.guide("1.3a")
async def test_a_window_calls_only_what_it_serves(hall):
    await hall.open(1, "T0001", "wealth", "fx")
    await hall.open(2, "T0005", "cash")
    assert await hall.call(2, "T0005") is None
    fx = await hall.issue("fx")
    assert await hall.call(2, "T0005") is None
    cash, wealth = await hall.issue("cash"), await hall.issue("wealth")
    assert (await hall.call(2, "T0005"))["id"] == cash["id"]
    assert (await hall.call(1))["id"] == fx["id"]
    await hall.act(fx["id"], "no-show")
    assert (await hall.call(1))["id"] == wealth["id"]


async def test_the_only_window_of_a_service_on_a_break_is_waited_for(hall):
    await hall.open(1, "T0001", "fx")
    await hall.open(2, "T0005", "cash")
    tickets = [await hall.issue("fx") for _ in range(3)]
    await hall.window(1, "break")
    follow = (await hall.send("GET", f"/t/{tickets[2]['token']}")).json()
    assert follow["quote"] == {"p50": None, "p80": None, "reason": "no_server"}
    assert await hall.call(2, "T0005") is None
    await hall.window(1, "resume")
    assert (await hall.call(1))["id"] == tickets[0]["id"]


async def test_ahead_counts_only_those_who_compete_for_the_same_windows(hall):
    await hall.open(1, "T0001", "cash", "wealth")
    await hall.open(2, "T0002", "wealth")
    await hall.open(3, "T0005", "info")
    assert [(await hall.issue(s))["ahead"] for s in ("cash", "info", "info", "wealth", "cash")] == [0, 0, 1, 1, 2]
    # Nobody serves fx: only its own tickets are before it, and there is no quote to give.
    assert [(await hall.issue("fx"))["ahead"] for _ in range(2)] == [0, 1]
    vip = await hall.issue("cash", "vip")
    assert vip["ahead"] == 0
    assert (await hall.issue("fx"))["quote"] == {"p50": None, "p80": None, "reason": "no_server"}


async def test_the_place_of_tickets_issued_at_one_instant_is_the_order_of_calling(hall):
    await hall.open(1, "T0001", "cash")
    tickets = [await hall.issue() for _ in range(4)]
    places = [(await hall.send("GET", f"/t/{ticket['token']}")).json()["ahead"] for ticket in tickets]
    assert places == [0, 1, 2, 3]
    assert [ticket["ahead"] for ticket in tickets] == places


async def test_a_window_with_a_customer_calls_nobody_else_and_a_retry_gets_the_same_visit(hall):
    await hall.open(1, "T0001", "cash")
    first, _ = await hall.issue(), await hall.issue()
    called = await hall.window(1, "call-next", key="one-click")
    again = await hall.window(1, "call-next", key="one-click")
    assert (again.content, again.json()["id"]) == (called.content, first["id"])
    busy = (await hall.window(1, "call-next", expect=409)).json()
    assert (busy["code"], busy["visit"]) == ("window_busy", first["id"])
    await hall.act(first["id"], "start")
    busy = (await hall.window(1, "call-next", expect=409)).json()
    assert (busy["code"], busy["visit"]) == ("window_busy", first["id"])
    clicks = await asyncio.gather(*(hall.window(1, "call-next", key="one-click") for _ in range(5)))
    assert {click.content for click in clicks} == {called.content}


async def test_only_an_open_window_calls_and_only_for_who_runs_it(hall):
    await hall.issue()
    refused = (await hall.window(1, "call-next", expect=409)).json()
    assert (refused["code"], refused["state"], refused["allowed"]) == ("window_not_open", "closed", ["open"])
    await hall.open(1, "T0001", "cash")
    assert (await hall.window(1, "call-next", "T0002", expect=409)).json()["code"] == "not_your_window"
    await hall.window(1, "break")
    refused = (await hall.window(1, "call-next", expect=409)).json()
    assert (refused["state"], refused["allowed"]) == ("break", ["close", "resume"])
    await hall.window(1, "resume")
    called = await hall.send("POST", "/branches/gz-001/windows/1/call-next", "branch_manager", staff="M0001")
    # The manager helps out; the window stays the teller's.
    assert (called.json()["window"], called.json()["staff_id"]) == ("1", "T0001")
    assert (await hall.window(99, "call-next", expect=404)).json()["code"] == "not_found"


async def test_call_next_storm_calls_each_once_in_order(either_hall):
    hall = either_hall
    serves = {no: ("cash", "wealth") if no <= 4 else ("cash", "info") if no <= 6 else ("info",) for no in range(1, 9)}
    for no, services in serves.items():
        await hall.open(no, f"T000{no}", *services)
    services, classes = ("cash", "cash", "wealth", "info"), ("ordinary", "ordinary", "care", "ordinary", "vip")
    for i in range(100):
        hall.tick(7)
        await hall.issue(services[i % 4], classes[i % 5])
    waiting = await hall.rows(sa.select(visit).order_by(visit.c.order_at, visit.c.id))

    async def work(no: int) -> list[str]:
        seen, staff = [], f"T000{no}"
        while (found := await hall.call(no, staff)) is not None:
            seen.append(found["id"])
            if len(seen) % 2:
                await hall.act(found["id"], "no-show", staff)
            else:
                await hall.act(found["id"], "start", staff)
                await hall.act(found["id"], "finish", staff)
        return seen

    by_window = await asyncio.gather(*(work(no) for no in serves))
    assert sorted(visit for calls in by_window for visit in calls) == sorted(row.id for row in waiting)
    # The outbox is in the order of the choices, as each was made under the hall's lock.
    calls = [event["data"] for event in await hall.told("queue.visit.called")]
    assert len(calls) == 100
    for call in calls:
        due = next(row for row in waiting if row.service in serves[int(call["window"])])
        assert call["visit"] == due.id
        waiting.remove(due)


async def test_a_customer_who_leaves_while_windows_call_is_either_called_or_gone(either_hall):
    hall = either_hall
    for no in range(1, 5):
        await hall.open(no, f"T000{no}", "cash")
    tickets = [await hall.issue() for _ in range(12)]
    leaving = [hall.send("POST", f"/visits/{ticket['id']}/leave", "app", expect=None) for ticket in tickets[::2]]
    calling = [hall.window(no, "call-next", f"T000{no}", expect=None) for no in range(1, 5)]
    answers = await asyncio.gather(
        *(task for pair in zip(leaving, [*calling, *[asyncio.sleep(0)] * 2], strict=True) for task in pair)
    )
    assert {answer.status_code for answer in answers if answer is not None} == {200}
    rows = await hall.rows(
        sa.text('SELECT w.no, v.status FROM "window" w JOIN visit v ON v.id = w.visit').columns(
            sa.column("no", sa.Text), sa.column("status", sa.Text)
        )
    )
    assert {row.status for row in rows} <= {"called"}
