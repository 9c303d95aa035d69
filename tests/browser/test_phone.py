"""The ticket on the customer's phone: position, wait, the call, leaving; without scripts, off the line, large."""

import re

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.road import Road

PHONE = {"width": 320, "height": 640}
STATES = {
    "zh": ("", PHONE),
    "en": ("", PHONE | {"language": "en-US"}),
    "elder": ("?mode=elder", PHONE),
    "elder-en": ("?mode=elder&lang=en", PHONE),
    "large-text": ("", {"width": 320, "height": 640, "device_scale_factor": 2}),
    "wide": ("", {}),
}


@pytest.fixture
def road(bank):
    found = Road(bank)
    found.open("cash", "account")
    yield found
    found.close()


def path_of(ticket):
    return "/queue/t/" + ticket["token"]


@pytest.mark.parametrize("state", STATES)
def test_a_waiting_ticket_is_sound(visitor, road, state):
    query, options = STATES[state]
    first, ticket = road.ticket(), road.ticket()
    assert ticket["qr"].endswith(path_of(ticket))
    page = visitor(**options).page(path_of(ticket) + query)
    expect(page.get_by_role("heading", level=1)).to_contain_text(ticket["number"])
    expect(page.locator(".ticket-ahead")).to_contain_text(re.compile(r"\d"))
    sound(page, f"phone/waiting-{state}")
    if state == "elder":
        sizes = page.locator(".ticket p, .ticket a").evaluate_all(
            "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 20
        assert page.locator(".ticket .button").bounding_box()["height"] >= 64
    for each in (first, ticket):
        road.send("POST", f"/queue/v1/visits/{each['id']}/leave", "kiosk")


def test_the_page_follows_the_ticket_by_itself_until_it_is_over(visitor, road):
    ticket = road.ticket("account")
    watched = visitor(**PHONE)
    page = watched.page(path_of(ticket))
    asked = []
    page.on("response", lambda answer: asked.append(answer.status) if path_of(ticket) in answer.url else None)
    expect(page.locator(".ticket-state")).to_contain_text("前面没有人等候")
    page.wait_for_timeout(11_000)  # two polls of an unchanged ticket, 5 s apart
    assert asked[:2] == [200, 304]
    while (called := road.call())["id"] != ticket["id"]:
        road.act(called["id"], "no-show")
    expect(page.locator(".ticket-call")).to_have_text("请到 1 号窗口办理", timeout=20_000)
    sound(page, "phone/called")
    road.act(ticket["id"], "start", "finish")
    page.reload()
    expect(page.locator(".ticket-state")).to_contain_text("业务已办结")
    sound(page, "phone/served")
    assert page.locator("wd-follow").get_attribute("data-next") == "0"


def test_leaving_asks_first_and_works_without_scripts(visitor, road):
    ticket = road.ticket()
    page = visitor(java_script_enabled=False, **PHONE).page(path_of(ticket))
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    page.get_by_role("link", name="取消排队").click()
    page.get_by_role("link", name="继续排队").click()
    page.get_by_role("link", name="取消排队").click()
    page.get_by_role("button", name="确定取消").click()
    expect(page.locator(".ticket-state")).to_contain_text("您已取消排队")
    seen = road.send("GET", f"/queue/v1/visits/{ticket['id']}", "app")
    assert (seen["status"], seen["end_cause"]) == ("left", "customer")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("无需取消")


def test_the_question_before_leaving_and_the_end_are_sound(visitor, road):
    ticket = road.ticket()
    page = visitor(**PHONE).page(path_of(ticket) + "/leave")
    sound(page, "phone/leave")
    page.get_by_role("button", name="确定取消").click()
    expect(page.locator(".ticket-state")).to_contain_text("您已取消排队")
    sound(page, "phone/left")
    page.goto(page.url + "/leave")
    expect(page.get_by_role("heading", level=1)).to_have_text("无需取消")


@pytest.mark.parametrize("token", ["A" * 22, "x", "B" * 64])
def test_a_guessed_token_says_so_and_nothing_else(visitor, token):
    watched = visitor(**PHONE)
    watched.expected.append("404")
    page = watched.page(f"/queue/t/{token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到该号票")
    sound(page, "phone/unknown")


def test_a_cut_line_is_said_and_heals(visitor, road, line):
    ticket = road.ticket()
    watched = visitor(base_url=line.base_url, **PHONE)
    watched.expected.append("ERR_")
    page = watched.page(path_of(ticket))
    line.set("cut")
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-live-stale]")).to_be_visible()
    sound(page, "phone/stale")
    line.set("pass")
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-live-stale]")).to_be_hidden()
    road.send("POST", f"/queue/v1/visits/{ticket['id']}/leave", "kiosk")


def test_nothing_is_asked_in_the_background(visitor, road):
    ticket = road.ticket()
    page = visitor(**PHONE).page(path_of(ticket))
    page.evaluate("""() => {
      Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6_500)  # longer than the next poll would have waited
    assert asked == []
    with page.expect_response(lambda answer: path_of(ticket) in answer.url):
        page.evaluate("""() => {
          Object.defineProperty(document, 'hidden', { get: () => false, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }""")
    road.send("POST", f"/queue/v1/visits/{ticket['id']}/leave", "kiosk")
