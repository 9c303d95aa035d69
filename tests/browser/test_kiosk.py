"""The kiosk: numbers on and off the line, kept through cuts and kills, told once and in order; and its looks."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from shared.testing.browser import shot, sound
from tests.browser.road import Road

SCREEN = {"width": 1080, "height": 1920}
HOME = "/queue/kiosk?lang={}&mode={}"
COUNTS = """async () => {
  const open = indexedDB.open("wangdian-kiosk");
  const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const all = (name) => new Promise((done) => {
    const asked = db.transaction(name).objectStore(name).getAll();
    asked.onsuccess = () => done(asked.result);
  });
  const found = { leases: await all("leases"), outbox: await all("outbox"), refused: await all("refused") };
  db.close();
  return found;
}"""


@pytest.fixture
def road(bank):
    found = Road(bank)
    yield found
    found.close()


def at_kiosk(visitor, path="/queue/kiosk?lang=zh&mode=normal", **options):
    watched = visitor(**SCREEN | options)
    watched.sign_in(role="kiosk")
    return watched, watched.page(path)


def stocked(page):
    """Numbers of every service are in the store and the shell is kept: from here on the line is not needed."""
    page.locator("[data-kiosk][data-stocked=yes]").wait_for(timeout=30_000)
    page.evaluate("() => navigator.serviceWorker.ready.then((found) => found.active.state)")
    expect(page.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)


def take(page, service="现金存取款"):
    """Touch the tile and the button; the number that is shown."""
    page.locator(".kiosk-tile", has_text=service).click()
    page.get_by_role("button", name=re.compile("材料已带齐|I have everything")).locator("visible=true").click()
    number = page.locator("[data-taken]:visible .taken-number")
    expect(number).to_have_text(re.compile(r"^[A-Z]\d{3}$"))
    return number.text_content()


def done(page):
    page.get_by_role("button", name=re.compile("^(完成|Done)$")).click()
    expect(page.locator(".kiosk-home")).to_be_visible()


def waiting(road):
    return [
        each["number"]
        for each in road.send("GET", f"/queue/v1/branches/{road.unit}/waiting?limit=200", "teller")["items"]
    ]


def told(page):
    """Everything that happened has been reported."""
    until = time.monotonic() + 60
    while page.evaluate(COUNTS)["outbox"]:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["normal", "elder"])
def test_every_screen_is_sound(visitor, language, mode):
    _, page = at_kiosk(visitor, HOME.format(language, mode))
    expect(page.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)
    sound(page, f"kiosk/home-{language}-{mode}")
    small = page.locator(".kiosk a:visible, .kiosk button:visible").evaluate_all(
        "all => all.map(e => [e.textContent.trim(), e.getBoundingClientRect().height]).filter(e => e[1] < 60)"
    )
    assert small == []
    page.locator(".kiosk-tile").nth(1).click()
    sound(page, f"kiosk/sheet-{language}-{mode}")
    stocked(page)
    page.get_by_role("button", name=re.compile("材料已带齐|I have everything")).locator("visible=true").click()
    expect(page.locator("[data-taken]")).to_be_visible()
    sound(page, f"kiosk/taken-{language}-{mode}")
    told(page)


def test_the_screen_is_sound_at_200_percent(visitor):
    _, page = at_kiosk(visitor, width=540, height=960, device_scale_factor=2)
    sound(page, "kiosk/home-large-text")


def test_a_stranger_is_asked_to_sign_in(visitor):
    page = visitor(**SCREEN).page("/queue/kiosk")
    assert "/sign-in?next=/queue/kiosk" in page.url


def test_a_teller_is_no_kiosk(visitor):
    watched = visitor()
    watched.sign_in(staff="T0001")
    watched.expected.append("403")
    page = watched.page(HOME.format("zh", "normal"))
    assert page.locator(".kiosk-tile").count() == 0
    sound(page, "kiosk/forbidden")


def test_a_ticket_is_taken_without_scripts(visitor, road):
    _, page = at_kiosk(visitor, java_script_enabled=False)
    page.locator(".kiosk-tile", has_text="现金存取款").click()
    page.get_by_role("button", name="材料已带齐").locator("visible=true").click()
    number = page.locator(".taken-number").text_content()
    assert number in waiting(road)
    shot(page, "kiosk/taken-no-scripts")
    page.get_by_role("link", name="完成").click()
    page.get_by_role("button", name="找工作人员").click()
    expect(page.locator(".callout")).to_contain_text("工作人员马上就来")
    assert road.send("GET", "/queue/v1/branches/gz-001/help-calls", "teller")["items"]


def test_a_number_is_told_at_once_and_its_code_opens_the_ticket(visitor, road):
    _, page = at_kiosk(visitor)
    stocked(page)
    lent = {n["number"]: n for lease in page.evaluate(COUNTS)["leases"] for n in lease["numbers"]}
    number = take(page)
    told(page)
    assert number in waiting(road)
    seen = road.send("GET", f"/queue/v1/visits/{lent[number]['id']}", "teller")
    assert (seen["number"], seen["channel"], seen["status"]) == (number, "kiosk", "waiting")
    modules = page.locator("[data-taken] [data-qr] path").get_attribute("d").count("M")
    assert modules > 200
    phone = visitor(width=320, height=640).page(f"/queue/t/{lent[number]['token']}")
    expect(phone.get_by_role("heading", level=1)).to_contain_text(number)
    page.emulate_media(media="print")
    shot(page, "kiosk/slip")
    assert page.locator(".kiosk-head, .kiosk-foot, .kiosk-end").locator("visible=true").count() == 0
    page.emulate_media(media="screen")
    done(page)
    assert page.locator("[data-taken] .taken-number").text_content() == ""


def test_a_cut_kiosk_goes_on_and_tells_everything_once_in_order(visitor, road, line):
    before = waiting(road)
    watched, page = at_kiosk(visitor, base_url=line.base_url)
    watched.expected += ["ERR_", "Failed to fetch"]
    stocked(page)
    line.set("cut")
    given = []
    for turn in range(6):
        given.append(take(page, "现金存取款" if turn % 2 else "个人开户"))
        done(page)
    expect(page.locator("[data-offline]")).to_be_visible()
    sound(page, "kiosk/offline")
    page.reload()
    expect(page.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)
    given.append(take(page))
    shot(page, "kiosk/offline-taken")
    done(page)
    page.get_by_role("button", name="找工作人员").click()
    expect(page.get_by_role("dialog")).to_contain_text("未能通知到工作人员")
    sound(page, "kiosk/offline-help")
    page.get_by_role("dialog").get_by_role("button").click()
    assert waiting(road) == before
    line.set("pass")
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    told(page)
    assert waiting(road) == before + given
    expect(page.locator("[data-offline]")).to_be_hidden()
    assert page.evaluate(COUNTS)["refused"] == []


def test_no_answer_doubles_nothing(visitor, road, line):
    """The line swallows the answer of a report: it is sent again, and nothing happens twice."""
    watched, page = at_kiosk(visitor, base_url=line.base_url)
    watched.expected += ["ERR_", "Failed to fetch", "signal timed out"]
    stocked(page)
    before = waiting(road)
    lost = []

    def swallow(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/queue/v1/tickets/sync", swallow)
    number = take(page)
    told(page)
    assert lost == [200]
    assert waiting(road) == [*before, number]


def test_numbers_that_run_out_send_the_customer_to_the_staff(visitor, line):
    watched, page = at_kiosk(visitor, base_url=line.base_url)
    watched.expected += ["ERR_", "Failed to fetch"]
    stocked(page)
    line.set("cut")
    page.evaluate("""async () => {
      const open = indexedDB.open("wangdian-kiosk");
      const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
      const transaction = db.transaction("leases", "readwrite");
      transaction.objectStore("leases").clear();
      await new Promise((done) => { transaction.oncomplete = done; });
      db.close();
      await fetch("/queue/kiosk/shell").catch(() => {});
    }""")
    expect(page.locator("[data-offline]")).to_be_visible(timeout=40_000)
    page.locator(".kiosk-tile").first.click()
    page.get_by_role("button", name="材料已带齐").locator("visible=true").click()
    expect(page.get_by_role("dialog")).to_contain_text("本机暂时无法取号")
    sound(page, "kiosk/no-number")


def test_two_tabs_of_one_kiosk_never_give_the_same_number(visitor, road):
    watched, page = at_kiosk(visitor)
    stocked(page)
    other = watched.page(HOME.format("zh", "normal"))
    stocked(other)
    given = []
    for _ in range(3):
        for tab in (page, other):
            given.append(take(tab))
            done(tab)
    assert len(set(given)) == 6
    told(page)
    assert waiting(road)[-6:] == given


def left_alone(visitor):
    """A kiosk in English whose customer has chosen a service; its clocks are the test's."""
    watched = visitor(**SCREEN)
    watched.sign_in(role="kiosk")
    page = watched.context.new_page()
    page.clock.install()
    page.goto(watched.base_url + HOME.format("en", "normal"))
    page.locator("[data-kiosk][data-ready=yes]").wait_for()
    page.locator(".kiosk-tile").first.click()
    return page


def test_an_idle_kiosk_returns_to_the_beginning_in_chinese(visitor):
    page = left_alone(visitor)
    page.clock.run_for(65_000)
    expect(page.get_by_role("dialog")).to_contain_text("Are you still there?")
    shot(page, "kiosk/idle")
    page.get_by_role("button", name="I am still here").click()
    page.clock.run_for(30_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.clock.run_for(55_000)
    page.wait_for_url(re.compile(re.escape(HOME.format("zh", "normal"))))
    expect(page.get_by_role("heading", level=1).locator("visible=true")).to_have_text("您要办理什么业务？")


def test_a_clock_that_is_set_neither_throws_a_customer_out_nor_keeps_their_screen(visitor):
    page = left_alone(visitor)
    page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=1))
    page.clock.run_for(5_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert HOME.format("en", "normal") in page.url
    page.clock.set_system_time(datetime.now(UTC) - timedelta(hours=1))
    page.clock.run_for(85_000)
    page.wait_for_url(re.compile(re.escape(HOME.format("zh", "normal"))))


def test_low_mode_brings_every_control_within_reach_until_the_next_customer(visitor):
    _, page = at_kiosk(visitor)
    stocked(page)
    page.get_by_role("button", name="低位操作").click()
    page.emulate_media(reduced_motion="reduce")
    tops = page.locator(".kiosk a:visible, .kiosk button:visible").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(box => [box.top, box.bottom])"
    )
    assert min(top for top, _ in tops) >= 960
    assert max(bottom for _, bottom in tops) <= 1920
    sound(page, "kiosk/low")
    take(page)
    expect(page.locator(".kiosk.low")).to_have_count(1)
    sound(page, "kiosk/low-taken")
    done(page)
    expect(page.locator(".kiosk.low")).to_have_count(0)


def test_large_type_shows_four_tiles_and_the_rest_behind_the_last(visitor):
    _, page = at_kiosk(visitor, HOME.format("zh", "elder"), java_script_enabled=False)
    tiles = page.locator(".kiosk-tile:visible")
    expect(tiles).to_have_count(4)
    everything = page.locator("[data-tile]").count()
    assert everything > 4
    page.get_by_role("link", name="其他业务").click()
    expect(tiles).to_have_count(everything)
    shot(page, "kiosk/more-elder")


def test_modules_of_the_kiosk_shell_are_small(bank, road):
    shell = road.client.get("/queue/kiosk/shell").json()
    sizes = {}
    for path in shell["files"]:
        answer = road.client.get(path, headers={"accept-encoding": "gzip"})
        sizes[path] = int(answer.headers["content-length"])
    assert sum(sizes.values()) < 150_000, json.dumps(sizes)
