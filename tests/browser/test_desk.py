"""The teller's desk: a visit by keys, by clicks, without scripts; what two hands at once may not break; its looks."""

import re

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.floor import fill

LOOKS = {
    "zh": {},
    "en": {"language": "en-US"},
    "phone": {"width": 320, "height": 640},
    "large-text": {"width": 640, "device_scale_factor": 2},
}
FOCUS = "() => document.activeElement.id"


def teller(visitor, staff="T0001", **options):
    watched = visitor(**options)
    watched.sign_in(staff=staff)
    return watched


def deaf(watched):
    """A workstation that hears nothing of what others do."""
    watched.context.route("**/queue/live/**", lambda route: route.abort())
    watched.expected += ["/queue/live/"]
    return watched


@pytest.mark.parametrize("look", LOOKS)
def test_the_desk_is_sound_in_every_state(visitor, road, look):
    page = teller(visitor, **LOOKS[look]).page("/queue/desk")
    expect(page.locator("#open")).to_be_visible()
    sound(page, f"desk/choose-{look}")
    road.open("cash", "account", "wealth")
    page.reload()
    expect(page.locator("#call-next")).to_be_visible()
    sound(page, f"desk/empty-{look}")
    fill(road, 40)
    expect(page.locator(".floor-total")).to_have_text("40")
    sound(page, f"desk/busy-{look}")
    page.locator("#call-next button").click()
    expect(page.locator(".desk-number")).to_be_visible()
    sound(page, f"desk/called-{look}")


def test_a_visit_by_keys_alone(visitor, road):
    first, _, care = fill(road, 3)
    page = teller(visitor).page("/queue/desk")
    page.keyboard.press("Alt+n")
    expect(page.locator("#call-next")).to_be_visible()
    page.keyboard.press("Alt+n")
    expect(page.locator(".desk-number")).to_contain_text(care)
    expect(page.locator("#customer")).to_be_focused()
    assert road.send("GET", "/queue/v1/branches/gz-001/waiting", "teller")["items"][0]["number"] == first
    page.keyboard.press("Alt+r")
    expect(page.locator(".desk-state")).to_contain_text("2")
    page.keyboard.press("Alt+s")
    expect(page.get_by_role("button", name="办结")).to_be_visible()
    page.keyboard.press("Alt+w")
    expect(page.locator("#call-next")).to_be_visible()
    page.keyboard.press("Alt+n")
    expect(page.locator(".desk-number")).to_contain_text(first)
    page.keyboard.press("Alt+k")
    expect(page.locator("#call-next")).to_be_visible()


def test_the_list_of_shortcuts_and_turning_them_off(visitor, road):
    road.open("cash")
    road.ticket()
    page = teller(visitor).page("/queue/desk")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    sound(page, "desk/keys")
    page.get_by_label("在本机停用快捷键").check()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Alt+n")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#call-next")).to_be_visible()


def test_a_refresh_never_moves_the_focus(visitor, road):
    road.open("cash")
    road.ticket()
    page = teller(visitor).page("/queue/desk")
    page.keyboard.press("Alt+n")
    start = page.get_by_role("button", name="开始办理")
    start.focus()
    for number in range(3):
        road.ticket()
        expect(page.locator(".floor-total")).to_have_text(str(number + 1))
        expect(start).to_be_focused()
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("取号")


def test_why_somebody_who_came_later_is_called_first(visitor, road):
    road.open("cash")
    path = "/queue/v1/branches/gz-001/tickets"
    road.ticket()
    road.send("POST", path, "kiosk", json={"service": "cash", "class": "care"})
    page = teller(visitor).page("/queue/desk")
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("关爱")
    expect(first).to_contain_text(re.compile(r"\d\d:\d\d 取号，按 \d\d:\d\d 排序"))


def test_a_double_click_calls_one(visitor, road):
    road.open("cash")
    first, second = road.ticket(), road.ticket()
    page = teller(visitor).page("/queue/desk")
    page.locator("#call-next button").dblclick()
    expect(page.locator(".desk-number")).to_contain_text(first["number"])
    waiting = road.send("GET", "/queue/v1/branches/gz-001/waiting", "teller")["items"]
    assert [one["number"] for one in waiting] == [second["number"]]


def test_the_second_workstation_is_told_and_sees_how_it_stands(visitor, road):
    road.open("cash")
    first, second = road.ticket(), road.ticket()
    other = deaf(teller(visitor))
    other.expected += ["409"]
    page = other.page("/queue/desk")
    road.call()
    page.locator("#call-next button").click()
    expect(page.locator("#notice")).to_contain_text("窗口仍有客户")
    expect(page.locator(".desk-number")).to_contain_text(first["number"])
    expect(page.locator("#call-next")).to_have_count(0)
    expect(page.locator("#notice")).to_contain_text("窗口仍有客户")
    sound(page, "desk/refused")
    page.keyboard.press("Alt+k")
    expect(page.locator("#call-next")).to_be_visible()
    expect(page.locator("#notice")).to_be_empty()
    waiting = road.send("GET", "/queue/v1/branches/gz-001/waiting", "teller")["items"]
    assert [one["number"] for one in waiting] == [second["number"]]


def test_an_old_version_changes_nothing(visitor, road):
    road.open("cash")
    road.ticket()
    visit = road.call()["id"]
    station = deaf(teller(visitor))
    station.expected += ["412", "409"]
    page = station.page("/queue/desk")
    road.act(visit, "recall")
    page.get_by_role("button", name="过号").click()
    expect(page.locator("#notice")).to_contain_text("数据已被更新")
    expect(page.locator(".desk-state")).to_contain_text("2")
    assert road.send("GET", f"/queue/v1/visits/{visit}", "teller")["status"] == "called"
    page.get_by_role("button", name="开始办理").click()
    expect(page.get_by_role("button", name="办结")).to_be_visible()
    road.act(visit, "finish")
    page.get_by_role("button", name="办结").click()
    expect(page.locator("#call-next")).to_be_visible()


def test_a_visit_without_scripts(visitor, road):
    ticket = road.ticket()
    station = teller(visitor, java_script_enabled=False)
    page = station.page("/queue/desk")
    page.get_by_role("button", name="开窗").click()
    page.get_by_role("button", name="叫号").click()
    expect(page.locator(".desk-number")).to_contain_text(ticket["number"])
    assert page.url.endswith("/queue/desk#customer")
    page.get_by_role("button", name="开始办理").click()
    road.act(ticket["id"], "finish")
    station.expected += ["409", "412"]
    page.get_by_role("button", name="办结").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="返回原页面").click()
    page.get_by_role("button", name="叫号").click()
    expect(page.locator("#customer")).to_contain_text("刚才没有可叫的号")
    page.get_by_role("button", name="暂停").click()
    expect(page.locator("#customer")).to_contain_text("窗口暂停中")
    page.get_by_role("button", name="恢复").click()
    page.get_by_role("button", name="关窗").click()
    expect(page.locator("#open")).to_be_visible()


@pytest.mark.guide("1.2a")
def test_a_window_is_refused_without_the_certificate_and_what_was_chosen_stays(visitor, road):
    station = teller(visitor)
    station.expected += ["409"]
    page = station.page("/queue/desk")
    expect(page.locator("#open")).to_contain_text("资格证已失效或未取得")
    page.get_by_label("外汇业务").check()
    page.locator("[name=no][value='4']").check()
    page.get_by_role("button", name="开窗").click()
    expect(page.locator("#notice")).to_contain_text("无相应岗位资格")
    expect(page.get_by_label("外汇业务")).to_be_checked()
    expect(page.locator("[name=no][value='4']")).to_be_checked()


def test_the_desk_is_for_tellers_of_the_branch(visitor, road):
    kiosk = visitor()
    kiosk.sign_in(role="kiosk")
    kiosk.expected += ["403"]
    page = kiosk.page("/queue/desk")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    sound(page, "desk/forbidden")
    station = teller(visitor, staff="T0002")
    station.expected += ["404"]
    page = station.page("/queue/desk?unit=bj-001")
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到")
