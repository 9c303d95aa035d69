"""The hall page: what waits where, who is at which window, and letting a colleague work today."""

import re

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.floor import fill
from tests.browser.test_desk import LOOKS


def manager(visitor, **options):
    watched = visitor(**options)
    watched.sign_in(staff="M0001")
    return watched


@pytest.mark.parametrize("look", LOOKS)
def test_the_hall_is_sound_in_every_state(visitor, road, look):
    page = manager(visitor, **LOOKS[look]).page("/queue/hall")
    figures = page.locator(".hall-figure dd")
    expect(figures.first).to_have_text("0")
    sound(page, f"hall/empty-{look}")
    road.open("cash")
    fill(road, 40)
    road.call()
    expect(figures.first).to_have_text("39")
    expect(figures.last).to_contain_text("1")
    sound(page, f"hall/busy-{look}")


def test_the_hall_follows_what_happens(visitor, road):
    page = manager(visitor).page("/queue/hall")
    road.ticket("fx")
    line = page.locator("tbody tr", has_text="外汇业务")
    expect(line).to_contain_text("无开放窗口")
    expect(line.locator("td").first).to_have_text("1")
    road.open("cash")
    road.ticket()
    cash = page.locator("tbody tr", has_text="现金存取款")
    expect(cash.locator("td").last).to_have_text("1")
    expect(cash).to_contain_text("分钟")
    window = page.locator(".hall-windows li").first
    expect(window).to_contain_text("T0001")
    number = road.call()["number"]
    expect(window).to_contain_text(number)
    expect(window).to_contain_text("已叫号")


@pytest.mark.guide("1.2a")
def test_a_manager_lets_a_teller_work_today(visitor, road):
    manages = manager(visitor)
    page = manages.page("/queue/hall")
    page.get_by_label("柜员").select_option("T0001")
    page.get_by_label("资格证").select_option("fx")
    page.get_by_label("理由").fill("持证人员突发疾病")
    page.get_by_role("button", name="当日放行").click()
    expect(page.locator("#override")).to_contain_text("已放行")
    expect(page.get_by_label("理由")).to_have_value("")
    station = visitor()
    station.sign_in(staff="T0001")
    desk = station.page("/queue/desk")
    desk.get_by_label("外汇业务").check()
    desk.get_by_role("button", name="开窗").click()
    expect(desk.locator(".desk-window")).to_contain_text("外汇业务")


def test_a_reason_is_asked_for_without_scripts_too(visitor, road):
    manages = manager(visitor, java_script_enabled=False)
    manages.expected += ["422"]
    page = manages.page("/queue/hall")
    page.get_by_label("理由").fill("   ")
    page.get_by_role("button", name="当日放行").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("/reason")
    page.get_by_role("link", name="返回原页面").click()
    expect(page.locator("#override")).not_to_contain_text("已放行")


def test_a_teller_looks_but_does_not_let_work(visitor, road):
    station = visitor()
    station.sign_in(staff="T0002")
    page = station.page("/queue/hall")
    expect(page.locator(".hall-figures")).to_be_visible()
    expect(page.locator("#override")).to_have_count(0)


def test_a_call_for_help_is_seen_at_once_and_answered_by_name(visitor, road):
    """From the button of a kiosk to the manager's page and back."""
    page = manager(visitor).page("/queue/hall")
    expect(page.locator(".hall-help")).to_have_count(0)
    machine = visitor(width=1080, height=1920)
    machine.sign_in(role="kiosk")
    kiosk = machine.page("/queue/kiosk?lang=zh&mode=normal")
    expect(kiosk.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)
    for _ in range(2):  # impatience is one call
        kiosk.get_by_role("button", name="找工作人员").click()
        expect(kiosk.get_by_role("dialog")).to_be_visible()
        kiosk.get_by_role("dialog").get_by_role("button").click()
        expect(kiosk.get_by_role("dialog")).to_have_count(0)
    call = page.locator(".hall-help")
    expect(call).to_have_count(1)
    expect(call).to_contain_text("有客户求助")
    sound(page, "hall/help")
    page.get_by_role("button", name="我去处理").click()
    expect(call).to_have_count(0)
    answered = page.locator(".hall-helped li").first
    expect(answered).to_contain_text(re.compile(r".\* M0001 于 \d\d:\d\d 前往"))
    assert road.send("GET", "/queue/v1/branches/gz-001/help-calls", "branch_manager")["items"] == []
    sound(page, "hall/help-answered")


def test_the_hall_knows_its_devices_and_who_was_let_work(visitor, road):
    manages = manager(visitor)
    page = manages.page("/queue/hall")
    expect(page.locator(".card", has=page.locator("#devices-title"))).to_contain_text("尚未登记")
    screen = visitor(width=1920, height=1080)
    new = screen.page("/queue/device")
    new.get_by_role("button", name="叫号屏").click()
    code = new.locator(".device-code").text_content()
    desk = manages.page("/queue/devices")
    desk.get_by_label("屏上验证码").fill(code)
    desk.get_by_label(re.compile("名称")).fill("大厅左侧叫号屏")
    desk.get_by_role("button", name="注册").click()
    new.wait_for_url(re.compile("/queue/board/gz-001"))
    device = page.locator(".hall-devices li", has_text="大厅左侧叫号屏")
    # The board's first beat is told to whoever looks.
    expect(device).to_contain_text("在线")
    page.get_by_label("柜员").select_option("T0002")
    page.get_by_label("资格证").select_option("fx")
    page.get_by_label("理由").fill("持证人员请假")
    page.get_by_role("button", name="当日放行").click()
    row = page.locator(".hall-overrides li", has_text="T0002")
    expect(row).to_contain_text("fx")
    expect(row).to_contain_text("M0001")
    expect(page.locator(".hall")).not_to_contain_text("持证人员请假")
    sound(page, "hall/devices")


def test_staff_see_their_branch_and_colleagues_by_name(visitor, road):
    road.open("cash")
    page = manager(visitor).page("/queue/hall")
    expect(page.locator(".bar-place")).to_contain_text("广州")
    expect(page.locator(".hall-windows li").first).to_contain_text(re.compile(r".\* T0001"))
    station = visitor()
    station.sign_in(staff="T0001")
    desk = station.page("/queue/desk")
    expect(desk.locator(".bar-place")).to_contain_text("广州")
    expect(desk.locator(".floor-windows li").first).to_contain_text(re.compile(r".\* T0001"))
