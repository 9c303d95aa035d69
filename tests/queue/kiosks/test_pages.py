"""The kiosk's pages as HTML, without a browser: what they hold, and who gets them."""

import re

import pytest

from shared.security.principal import Principal


@pytest.fixture
async def seat(hall):
    """A session of the branch's kiosk."""
    principal = Principal("kiosk@gz-001", None, frozenset({"kiosk"}), ("gz-001",))
    return {"cookie": f"wd_session={await hall.running.app.state.sessions.open(principal)}"}


async def post(hall, seat, path, **data):
    headers = seat | {"origin": "http://test", "host": "test"}
    return await hall.running.client.post(path, data={"key": "k1"} | data, headers=headers)


async def test_a_ticket_without_scripts_is_issued_once_and_shown(hall, seat):
    sent = [await post(hall, seat, "/queue/kiosk/tickets", service="cash") for _ in range(2)]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    page = await hall.running.client.get(sent[0].headers["location"], headers=seat)
    assert page.status_code == 200, page.text
    assert re.search(r'data-slot="number">A001<', page.text)
    assert len(await hall.told("queue.visit.opened")) == 1


async def test_the_home_page_holds_every_service_and_its_materials(hall, seat):
    first = await hall.running.client.get("/queue/kiosk", headers=seat)
    assert first.headers["location"] == "/queue/kiosk?lang=zh&mode=normal"
    page = await hall.running.client.get(first.headers["location"], headers=seat)
    assert re.findall(r'data-tile="(\w+)"', page.text) == ["cash", "fx", "info", "wealth"]
    assert page.text.count("data-take>") == 4


async def test_help_is_noted_for_the_branch(hall, seat):
    assert (await post(hall, seat, "/queue/kiosk/help")).status_code == 303
    [call] = (await hall.send("GET", "/branches/gz-001/help-calls")).json()["items"]
    assert (call["device"], call["answered_at"]) == ("kiosk@gz-001", None)


@pytest.mark.parametrize("path", ["/queue/kiosk?lang=zh&mode=normal", "/queue/kiosk/t/" + "A" * 22])
async def test_a_manager_is_no_kiosk(hall, path):
    principal = Principal("M0001", "M0001", frozenset({"branch_manager"}), ("gz-001",))
    seat = {"cookie": f"wd_session={await hall.running.app.state.sessions.open(principal)}"}
    assert (await hall.running.client.get(path, headers=seat)).status_code == 403
    assert (await post(hall, seat, "/queue/kiosk/tickets", service="cash")).status_code == 403
