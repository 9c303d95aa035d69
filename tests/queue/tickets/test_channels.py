"""How a ticket was asked for, and which visit its link stands for."""

import pytest

from services.queue.tickets.rules import channel_of

TICKETS = "/branches/gz-001/tickets"


@pytest.mark.parametrize(
    ("roles", "asked", "channel"),
    [
        ({"kiosk"}, None, "kiosk"),
        ({"app"}, "app", "app"),
        ({"integration"}, "phone", "phone"),
        ({"teller"}, None, "staff"),
        ({"teller", "branch_manager"}, "phone", "phone"),
        ({"teller"}, "kiosk", None),
        ({"branch_manager"}, "app", None),
        ({"teller", "auditor"}, "kiosk", None),
    ],
)
def test_staff_take_no_ticket_as_a_customer_would(roles, asked, channel):
    assert channel_of(frozenset(roles), asked) == channel


@pytest.mark.guide("1.2e")
async def test_a_teller_who_claims_to_be_a_kiosk_is_told_so_and_takes_nothing(hall):
    answer = await hall.send("POST", TICKETS, "teller", json={"service": "cash", "channel": "kiosk"}, expect=422)
    assert answer.json()["errors"][0]["pointer"] == "/channel"
    taken = (await hall.send("POST", TICKETS, "teller", json={"service": "cash"}, expect=201)).json()
    assert (taken["number"], (await hall.visit(taken["id"]))["channel"]) == ("A001", "staff")


async def test_services_ask_which_visit_a_link_stands_for(hall):
    ticket = await hall.issue()
    path = f"/t/{ticket['token']}/visit"
    seen = (await hall.send("GET", path, "service", expect=200)).json()
    assert seen == {"visit": ticket["id"], "status": "waiting", "channel": "kiosk"}
    await hall.send("GET", f"/t/{'A' * 22}/visit", "service", expect=404)
    for role in ("kiosk", "app", "teller", "branch_manager", "head_office"):
        await hall.send("GET", path, role, expect=403)
