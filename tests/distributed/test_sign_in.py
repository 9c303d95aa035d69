"""One sign-in for the pages of every service behind the gateway, and its end for all of them."""

import re
import time
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from shared.testing.stack.stack import Stack
from shared.web.sessions_elsewhere import FRESH
from tests.distributed.tools import eventually

PAGES = {"staff": "/", "queue": "/queue/desk", "aggregator": "/aggregator/?unit=gz-001"}


@pytest.fixture
def browser(used: Stack) -> Iterator[httpx.Client]:
    """A browser before the gateway, with cookies of its own."""
    with httpx.Client(base_url=used.url, follow_redirects=True, timeout=30) as found:
        yield found


def sign_in(browser: httpx.Client, path: str, name: str) -> httpx.Response:
    """From a page that asks to sign in, by what a person would press; the page at the end."""
    asked = browser.get(path)
    assert asked.url.path == "/sign-in"
    button = re.search(r'href="(/sign-in/bank\?next=[^"]*)"', asked.text)
    assert button is not None
    chooser = browser.get(button[1])
    assert chooser.url.path == "/authorize"
    branch = next(each for each in re.findall(r'href="([^"]*)"', chooser.text) if each.endswith("branch=gz-001"))
    chooser = browser.get(chooser.url.join(unescape(branch)))
    form = next(each for each in re.findall(r"<form.*?</form>", chooser.text) if f'value="{name}"' in each)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    return browser.post(chooser.url.join("/authorize"), data=fields)


def test_one_sign_in_is_good_everywhere_and_one_sign_out_too(used: Stack, browser: httpx.Client) -> None:
    desk = sign_in(browser, "/queue/desk", "T0001")
    assert (desk.status_code, desk.url.path) == (200, "/queue/desk")
    assert desk.url.host == "127.0.0.1" and str(desk.url).startswith(used.url)
    for path in PAGES.values():
        page = browser.get(path)
        assert (page.status_code, page.history) == (200, []), path
        assert 'class="identity-name">T0001<' in page.text, path
    # The front door leads to the screens of all services.
    start = browser.get("/").text
    for screen in ("/queue/desk", "/queue/hall", "/aggregator/"):
        assert f'href="{screen}"' in start, screen
    # Who may not is told so by the service that owns the page.
    assert browser.get("/queue/devices").status_code in (200, 403)
    assert browser.get("/aggregator/?unit=hq").status_code == 404

    secret = browser.cookies["wd_session"]
    left = browser.post("/sign-out", headers={"origin": used.url})
    assert left.status_code == 200
    assert "wd_session" not in browser.cookies
    began = time.monotonic()
    stolen = {"cookie": f"wd_session={secret}"}
    for path in ("/queue/desk", "/aggregator/"):
        eventually(lambda path=path: httpx.get(used.url + path, headers=stolen).status_code == 303, path)
    assert time.monotonic() - began < FRESH.total_seconds() + 10
    assert "T0001" not in httpx.get(used.url + "/", headers=stolen).text

    # Whoever comes next at this browser is asked anew.
    again = browser.get("/sign-in/bank", follow_redirects=False)
    assert "prompt=login" in again.headers["location"]


def test_a_teller_works_by_pages_alone(used: Stack, browser: httpx.Client) -> None:
    """A write of a page, by the session of another process."""
    desk = sign_in(browser, "/queue/desk", "T0002")
    form = re.search(r'<form[^>]*action="(/queue/desk/gz-001/open)".*?</form>', desk.text, re.DOTALL)
    assert form is not None
    key = re.search(r'name="key" value="([^"]+)"', form[0])
    number = re.search(r'name="no" value="(\d+)"', form[0])
    assert key is not None and number is not None
    sent = {"key": key[1], "no": number[1], "services": "cash"}
    opened = browser.post(form[1], data=sent, headers={"origin": used.url})
    assert (opened.status_code, opened.url.path) == (200, "/queue/desk")
    assert "/windows/" in opened.text
    closing = re.search(r'<form[^>]*action="(/queue/desk/gz-001/windows/\d+/close)".*?</form>', opened.text, re.DOTALL)
    assert closing is not None
    key = re.search(r'name="key" value="([^"]+)"', closing[0])
    version = re.search(r'name="version" value="([^"]+)"', closing[0])
    assert key is not None
    sent = {"key": key[1]} | ({"version": version[1]} if version else {})
    assert browser.post(closing[1], data=sent, headers={"origin": used.url}).status_code == 200


def test_sign_out_and_staying_are_acts_of_the_keeper_alone(used: Stack) -> None:
    for service in ("queue", "aggregator", "surveys"):
        for path in ("/sign-out", "/web/session/extend"):
            url = f"http://127.0.0.1:{used.public_port(service)}{path}"
            assert httpx.post(url, headers={"origin": used.url}).status_code == 404, (service, path)


def test_sessions_are_told_to_services_only(used: Stack) -> None:
    path = f"{used.url}/staff/v1/sessions/{'A' * 43}"
    for role, status in (("teller", 403), ("operator", 403), ("head_office", 403), ("service", 404)):
        reply = httpx.get(path, headers={"Authorization": f"Bearer {used.token(role, unit='*')}"})
        assert reply.status_code == status, role
    assert httpx.get(path).status_code == 401
