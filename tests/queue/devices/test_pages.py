"""The pages of devices as HTML: a screen with its code, the manager's list, a wrong code that loses nothing."""

import re

import pytest

from shared.security.principal import Principal


@pytest.fixture
async def manager(hall):
    principal = Principal("M0001", "M0001", frozenset({"branch_manager"}), ("gz-001",))
    return f"wd_session={await hall.running.app.state.sessions.open(principal)}"


async def ask(hall, method, path, cookie="", **data):
    headers = {"origin": "http://test", "host": "test", "cookie": cookie}
    return await hall.running.client.request(method, path, headers=headers, data=data or None)


async def enrolled(hall, manager):
    """A kiosk's key, and the manager's page that has just enrolled it."""
    begun = await ask(hall, "POST", "/queue/device", key="k1", kind="kiosk")
    key = begun.headers["set-cookie"].split(";")[0]
    assert "HttpOnly; SameSite=Strict" in begun.headers["set-cookie"]
    shown = await ask(hall, "GET", "/queue/device", key)
    code = re.search(r'id="code">(\d{4} \d{4})<', shown.text)[1]
    done = await ask(hall, "POST", "/queue/devices", manager, key="k2", code=code, label="door")
    assert done.status_code == 303
    return key, (await ask(hall, "GET", "/queue/devices", manager)).text


async def test_a_screen_is_enrolled_and_led_to_its_page(hall, manager):
    assert (await ask(hall, "GET", "/queue/devices", manager)).status_code == 200
    key, listed = await enrolled(hall, manager)
    assert "door" in listed
    assert (await ask(hall, "GET", "/queue/device", key)).headers["location"] == "/queue/kiosk"
    assert (await ask(hall, "GET", "/queue/kiosk?lang=zh&mode=normal", key)).status_code == 200
    token = (await ask(hall, "POST", "/queue/devices/token", key)).json()["token"]
    assert token.startswith("dev_")


async def test_a_wrong_code_comes_back_with_what_was_typed_under_a_new_key(hall, manager):
    wrong = await ask(hall, "POST", "/queue/devices", manager, key="k3", code="1234 5678", label="door")
    assert wrong.status_code == 404
    assert 'value="1234 5678"' in wrong.text
    assert 'value="k3"' not in wrong.text
    again = await ask(hall, "POST", "/queue/devices", manager, key="k3", code="8765 4321", label="door")
    assert again.status_code == 404  # the refused try left nothing under its key


async def test_a_device_that_was_sent_away_is_no_longer_served(hall, manager):
    key, listed = await enrolled(hall, manager)
    path = re.search(r'action="(/queue/devices/[\w-]+/revoke)"', listed)[1]
    assert (await ask(hall, "POST", path, manager, key="k4")).status_code == 303
    assert (await ask(hall, "GET", "/queue/kiosk?lang=zh&mode=normal", key)).headers["location"].startswith("/sign-in")
    assert (await ask(hall, "POST", "/queue/devices/token", key)).status_code == 401
