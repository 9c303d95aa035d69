"""A screen is enrolled by the manager, works, and is sent away."""

import re

from playwright.sync_api import expect

from shared.testing.browser import sound

SCREEN = {"width": 1080, "height": 1920}


def test_a_screen_becomes_a_kiosk_and_is_sent_away(visitor):
    screen = visitor(**SCREEN)
    page = screen.page("/queue/device")
    sound(page, "devices/new")
    page.get_by_role("button", name="取号机").click()
    code = page.locator(".device-code").text_content()
    assert re.fullmatch(r"\d{4} \d{4}", code)
    sound(page, "devices/code")

    manager = visitor()
    manager.sign_in(staff="M0001")
    manager.expected.append("404")
    desk = manager.page("/queue/devices")
    sound(desk, "devices/empty")
    desk.get_by_label("屏上验证码").fill("0000 0000")
    desk.get_by_role("button", name="注册").click()
    expect(desk.locator(".field.wrong")).to_contain_text("没有设备显示该验证码")
    sound(desk, "devices/wrong-code")
    desk.get_by_label("屏上验证码").fill(code)
    desk.get_by_label(re.compile("名称")).fill("门口取号机")
    desk.get_by_role("button", name="注册").click()
    expect(desk.locator("tbody")).to_contain_text("门口取号机")

    page.wait_for_url(re.compile("/queue/kiosk"), timeout=40_000)
    page.locator("[data-kiosk][data-stocked=yes]").wait_for(timeout=60_000)
    expect(page.locator(".kiosk-place")).to_contain_text("广州")
    for _ in range(40):  # until its next heartbeat
        desk.reload()
        if "40" in desk.locator("tbody").text_content():
            break
        desk.wait_for_timeout(500)
    expect(desk.locator("tbody")).to_contain_text("40")
    sound(desk, "devices/list")

    screen.expected += ["401", "Failed to fetch", "ERR_"]
    desk.get_by_role("button", name="停用").click()
    expect(desk.locator("tbody")).to_contain_text("已停用")
    answer = page.request.post(screen.base_url + "/queue/devices/token", headers={"origin": screen.base_url})
    assert answer.status == 401
    page.goto(screen.base_url + "/queue/device")
    expect(page.locator(".callout")).to_contain_text("已被网点负责人停用")
    sound(page, "devices/sent-away")


def test_a_teller_enrols_nothing(visitor):
    watched = visitor()
    watched.sign_in(staff="T0001")
    watched.expected.append("403")
    page = watched.page("/queue/devices")
    assert page.get_by_role("button", name="注册").count() == 0


def test_a_screen_asks_to_be_enrolled_without_scripts_in_english(visitor):
    page = visitor(java_script_enabled=False, language="en-US", **SCREEN).page("/queue/device")
    page.get_by_role("button", name="Lobby board").click()
    expect(page.locator(".device-code")).to_have_text(re.compile(r"\d{4} \d{4}"))
