"""What a customer leaves stays sealed: no reply, event, log or file has it; a ticket's link shows nothing personal."""

import pytest
import sqlalchemy as sa

from services.queue.tickets.models import Visit
from shared.db.statements import table

PHONE = "13987654321"
CONTACT = {"contact": {"phone": PHONE}}


@pytest.mark.guide("1.1c")
async def test_a_contact_is_sealed_and_appears_nowhere(hall, tmp_path, capfd):
    await hall.open(1, "T0001", "cash")
    body = {"service": "cash", "channel": "app"} | CONTACT
    issued = await hall.send("POST", "/branches/gz-001/tickets", "app", json=body, expect=201)
    visit, token = issued.json()["id"], issued.json()["token"]
    replies = [
        issued,
        await hall.send(
            "POST", "/branches/gz-001/tickets", "app", json=body | {"contact": {"phone": PHONE, "x": 1}}, expect=422
        ),
        await hall.send(
            "POST", "/branches/gz-001/tickets", "app", json=body | {"contact": {"phone": f"{PHONE}x"}}, expect=422
        ),
        await hall.send("GET", f"/visits/{visit}"),
        await hall.send("GET", "/branches/gz-001/waiting"),
        await hall.send("GET", f"/t/{token}"),
        await hall.window(1, "call-next"),
        await hall.act(visit, "start"),
        await hall.act(visit, "finish"),
    ]
    await hall.running.settle()
    assert PHONE not in "".join(answer.text + str(answer.headers) for answer in replies)
    (row,) = await hall.rows(sa.select(table(Visit)))
    assert (
        await hall.db.write(
            lambda uow: uow.reveal("visit", visit, "contact", row.contact, purpose="test"), actor="test"
        )
        == PHONE
    )
    # Tables, outbox, audit log, bus, write-ahead logs: no byte of any file.
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"queue.sqlite3", "bus.sqlite3"} <= {path.name for path in files}
    assert [path.name for path in files if PHONE.encode() in path.read_bytes()] == []
    out, err = capfd.readouterr()
    assert PHONE not in out + err


async def test_a_ticket_s_link_shows_place_and_window_and_no_more(hall):
    await hall.open(1, "T0001", "cash")
    body = {"service": "cash", "channel": "app"} | CONTACT
    ticket = (await hall.send("POST", "/branches/gz-001/tickets", "app", json=body, expect=201)).json()
    answer = await hall.running.client.get(f"/queue/v1/t/{ticket['token']}")
    assert set(answer.json()) == {"number", "status", "service", "window", "ahead", "quote", "next_poll_s"}
    assert (answer.json()["status"], answer.json()["ahead"]) == ("waiting", 0)
    await hall.call(1)
    called = (await hall.running.client.get(f"/queue/v1/t/{ticket['token']}")).json()
    assert (called["status"], called["window"], called["ahead"], called["quote"]) == ("called", "1", None, None)
    wrong = ticket["token"][:-2] + ("AA" if not ticket["token"].endswith("AA") else "BB")
    for token, status in ((wrong, 404), ("A" * 22, 404), ("short", 422), (ticket["id"], 422)):
        assert (await hall.running.client.get(f"/queue/v1/t/{token}")).status_code == status


async def test_whether_a_contact_was_left_is_told_to_services_with_a_purpose_and_recorded(hall):
    body = {"service": "cash", "channel": "app"}
    first = await hall.send("POST", "/branches/gz-001/tickets", "app", json=body | CONTACT, expect=201)
    visits = {first.json()["id"]: True, (await hall.issue())["id"]: False}
    for visit, left in visits.items():
        before = len(await hall.audited())
        for headers in ({}, {"x-purpose": "Because I want"}, {"x-purpose": ""}):
            refused = await hall.send("GET", f"/visits/{visit}/contact", "service", headers=headers, expect=422)
            assert refused.json()["errors"][0]["pointer"] == "/header/x-purpose"
        assert len(await hall.audited()) == before
        path, purpose = f"/visits/{visit}/contact", {"x-purpose": "survey_invitation"}
        assert (await hall.send("GET", path, "service", headers=purpose)).json() == {"left": left}
        (row,) = (await hall.audited())[before:]
        assert (row.action, row.object_id, row.purpose, row.actor) == (
            "contact.asked", visit, "survey_invitation", "service-1",
        )  # fmt: skip
    for role in ("teller", "branch_manager", "head_office", "kiosk", "app", "operator", "auditor", "integration"):
        await hall.send("GET", path, role, headers=purpose, expect=403)
    assert (await hall.send("GET", "/visits/none/contact", "service", headers=purpose, expect=404)).json()
