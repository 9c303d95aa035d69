"""Rating where the visit was: the slip's code under the kiosk's scanner, or on the phone; kept through a cut line."""

import time

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.road import Road
from tests.browser.test_kiosk import HOME, at_kiosk, done, stocked

KEPT = """async () => {
  const open = indexedDB.open("wangdian-kiosk");
  const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const asked = db.transaction("ratings").objectStore("ratings").getAll();
  const found = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  db.close();
  return found;
}"""


@pytest.fixture(scope="module")
def road(bank):
    found = Road(bank)
    found.open("cash")
    yield found
    found.close()


@pytest.fixture
def served(road):
    """Makes the ticket of a visit that was just served, its invitation there."""

    def make():
        ticket = road.ticket()
        assert road.call()["id"] == ticket["id"]
        road.act(ticket["id"], "start", "finish")
        until(lambda: invitation(road, ticket) is not None)
        return ticket

    return make


def invitation(road, ticket):
    found = road.send("GET", f"/surveys/v1/visits/{ticket['id']}/invitation", "kiosk", (200, 404))
    return found if "token" in found else None


def until(met, seconds=30):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.1)


def scan(page, text):
    """A scanner types what it reads, and Enter, to whatever has the focus."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def rate(page, *words):
    for word in words:
        page.get_by_role("button", name=word, exact=True).click()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["normal", "elder"])
def test_every_step_is_sound(visitor, served, language, mode):
    _, page = at_kiosk(visitor, HOME.format(language, mode))
    expect(page.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)
    page.locator("[data-rate-link]").click()
    sound(page, f"kiosk/rate-scan-{language}-{mode}")
    scan(page, served()["qr"])
    expect(page.locator("[data-question]")).to_be_visible()
    sound(page, f"kiosk/rate-question-{language}-{mode}")
    small = page.locator("#rate button:visible").evaluate_all(
        "all => all.map(e => [e.textContent.trim(), e.getBoundingClientRect().height]).filter(e => e[1] < 72)"
    )
    assert small == []
    for _ in range(5):
        page.locator(".rate-face").nth(1).click()
    page.locator("[data-send] button").click()
    expect(page.locator("[data-rate=done]")).to_be_visible()
    sound(page, f"kiosk/rate-done-{language}-{mode}")


def test_the_slip_is_scanned_and_the_visit_rated_once(visitor, served, road):
    _, page = at_kiosk(visitor)
    ticket = served()
    page.locator("[data-rate-link]").click()
    scan(page, ticket["qr"])
    rate(page, "满意", "非常满意")
    page.get_by_role("button", name="上一题").click()
    expect(page.locator(".rate-face[aria-pressed=true]")).to_have_text("非常满意")
    rate(page, "不满意", "一般", "不清楚", "不清楚")
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("[data-rate=done]")).to_contain_text("感谢您的评价")
    until(lambda: invitation(road, ticket)["status"] == "answered")
    until(lambda: page.evaluate(KEPT) == [])
    done(page)
    assert page.locator("[data-question]").text_content() == ""
    page.locator("[data-rate-link]").click()
    scan(page, ticket["qr"])
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("本次服务已评价")
    sound(page, "kiosk/rate-again")
    dialog.get_by_role("button").click()


def test_what_cannot_be_rated_says_why(visitor, road):
    watched, page = at_kiosk(visitor)
    watched.expected += ["404", "409", "403"]
    page.locator("[data-rate-link]").click()
    waiting = road.ticket()
    by_staff = road.send("POST", f"/queue/v1/branches/{road.unit}/tickets", "teller", json={"service": "cash"})
    for code, why in (
        ("hello", "未识别到号票"),
        ("A" * 22, "未识别到号票"),
        (waiting["qr"], "业务办结后即可评价"),
        (by_staff["qr"], "由工作人员代取"),
    ):
        scan(page, code)
        dialog = page.locator("dialog[open]")
        expect(dialog).to_contain_text(why)
        dialog.get_by_role("button").click()
    for ticket in (waiting, by_staff):
        road.send("POST", f"/queue/v1/visits/{ticket['id']}/leave", "branch_manager")


def test_a_rating_outlives_a_cut_line_and_a_kiosk_that_is_switched_off(visitor, served, road):
    watched, page = at_kiosk(visitor)
    stocked(page)
    ticket = served()
    page.locator("[data-rate-link]").click()
    scan(page, ticket["qr"])
    rate(page, "满意", "满意", "满意", "不清楚", "不清楚")
    watched.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load"]
    page.context.set_offline(True)
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("[data-rate=done]")).to_contain_text("感谢您的评价")
    (kept,) = page.evaluate(KEPT)
    assert kept["answers"] == {"quality": 4, "efficiency": 4, "attitude": 4}
    done(page)
    # Nobody is asked for a code that cannot be looked up.
    page.locator("[data-rate-link]").click()
    scan(page, ticket["qr"])
    expect(page.locator("dialog[open]")).to_contain_text("网络中断")
    page.close()
    assert invitation(road, ticket)["status"] == "open"
    again = watched.context.new_page()
    again.context.set_offline(False)
    again.goto(page.url)
    until(lambda: invitation(road, ticket)["status"] == "answered")
    until(lambda: again.evaluate(KEPT) == [])


def test_who_goes_away_in_the_middle_leaves_nothing(visitor, served):
    _, page = at_kiosk(visitor)
    page.locator("[data-rate-link]").click()
    scan(page, served()["qr"])
    rate(page, "非常不满意")
    page.get_by_role("link", name="取消").locator("visible=true").click()
    page.locator("[data-rate-link]").click()
    expect(page.locator("[data-rate=scan]")).to_be_visible()
    assert page.locator("[data-question]").text_content() == ""
    assert page.evaluate(KEPT) == []


def test_the_phone_leads_from_the_ticket_to_the_survey(visitor, served):
    ticket = served()
    page = visitor(width=320, height=640).page(f"/queue/t/{ticket['token']}")
    sound(page, "phone/served")
    page.get_by_role("link", name="评价本次服务").click()
    expect(page.locator("fieldset")).to_have_count(5)
    for question in page.locator("fieldset").all()[:3]:
        question.get_by_text("满意", exact=True).click()
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("感谢您的评价")


def test_a_ticket_of_somebody_who_still_waits_has_nothing_to_rate(visitor, road):
    ticket = road.ticket()
    watched = visitor(width=320, height=640)
    watched.expected.append("409")
    page = watched.page(f"/queue/t/{ticket['token']}")
    assert page.get_by_role("link", name="评价本次服务").count() == 0
    page.goto(f"{page.url.partition('/queue')[0]}/surveys/t/{ticket['token']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("暂不能评价")
    sound(page, "survey/not-yet")
    road.send("POST", f"/queue/v1/visits/{ticket['id']}/leave", "branch_manager")
