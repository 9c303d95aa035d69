"""The start page: a newcomer sees what this is, becomes somebody, and comes back to where they wanted to go."""

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound

STATES = {
    "zh": ("", {}),
    "en": ("", {"language": "en-US"}),
    "phone": ("", {"width": 320, "height": 640}),
    "elder": ("?mode=elder", {}),
    "large-text": ("", {"width": 640, "device_scale_factor": 2}),
}


@pytest.mark.parametrize("state", STATES)
def test_the_start_page_is_sound_in_every_state(visitor, state):
    query, options = STATES[state]
    page = visitor(**options).page("/" + query)
    expect(page.locator("#who")).to_be_visible()
    sound(page, f"start/{state}")


def test_a_newcomer_becomes_a_teller_and_leaves_again(visitor):
    page = visitor().page("/")
    page.get_by_role("link", name="北京西单支行").click()
    page.get_by_role("button", name="T0201").click()
    expect(page.locator(".home-name")).to_have_text("T0201")
    expect(page.locator(".home-you")).to_contain_text("北京西单支行")
    sound(page, "start/teller")
    page.get_by_role("button", name="退出").click()
    expect(page.locator(".home-you")).to_contain_text("尚未登录")


def test_signing_in_works_without_scripts(visitor):
    page = visitor(java_script_enabled=False).page("/sign-in?next=/%3Funit=gz-002&unit=gz-002")
    page.get_by_role("button", name="M0101").click()
    expect(page.locator(".home-name")).to_have_text("M0101")
    assert page.url.endswith("/?unit=gz-002")


def test_the_language_is_remembered(visitor):
    watched = visitor()
    page = watched.page("/")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What bank branches run on")
    page.goto(watched.base_url + "/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_address_that_leads_nowhere_is_a_page(visitor):
    watched = visitor()
    watched.expected.append("404")
    page = watched.page("/queue/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到")
    sound(page, "start/not-found")


def test_signing_in_never_leads_to_another_host(visitor):
    for away in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        watched = visitor()
        page = watched.page(f"/sign-in?unit=gz-001&next={away}")
        page.get_by_role("button", name="T0001").click()
        page.wait_for_url(watched.base_url + "/")
