"""The survey on the customer's phone: one send a link, the draft is kept, large type asks one question at a time."""

import time

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.road import Road

PHONE = {"width": 320, "height": 640}
STATES = {
    "zh": ("", PHONE),
    "en": ("", PHONE | {"language": "en-US"}),
    "elder": ("?mode=elder", PHONE),
    "large-text": ("", {"width": 320, "height": 640, "device_scale_factor": 2}),
}


@pytest.fixture(scope="module")
def invited(bank):
    """Makes the survey link of a visit that was just served."""
    road = Road(bank)
    road.open("cash")

    def make() -> str:
        visit = road.ticket()["id"]
        assert road.call()["id"] == visit
        road.act(visit, "start", "finish")
        until = time.monotonic() + 20
        while True:
            found = road.send("GET", f"/surveys/v1/visits/{visit}/invitation", "kiosk", (200, 404))
            if "token" in found:
                return f"/surveys/a/{found['token']}"
            assert time.monotonic() < until
            time.sleep(0.1)

    yield make
    road.close()


@pytest.mark.parametrize("state", STATES)
def test_the_questions_are_sound(visitor, invited, state):
    query, options = STATES[state]
    page = visitor(**options).page(invited() + query)
    expect(page.locator("fieldset:visible")).to_have_count(1 if state == "elder" else 5)
    sound(page, f"survey/{state}")


def answer(page, *words):
    for question, word in zip(page.locator("fieldset").all(), words, strict=False):
        question.get_by_text(word, exact=True).click()


def test_an_answer_is_sent_once(visitor, invited):
    path = invited()
    page = visitor(**PHONE).page(path)
    answer(page, "非常满意", "一般", "满意", "不清楚")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("感谢您的评价")
    sound(page, "survey/thanks")
    page.goto(page.url.partition("?")[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("本次服务已评价")
    sound(page, "survey/answered")


def test_of_two_devices_one_is_told_that_it_was_too_late(visitor, invited):
    path = invited()
    one, other = visitor(**PHONE), visitor(**PHONE)
    other.expected.append("409")
    pages = [one.page(path), other.page(path)]
    for page in pages:
        answer(page, "满意", "满意", "满意")
    pages[0].get_by_role("button", name="提交评价").click()
    expect(pages[0].get_by_role("heading", level=1)).to_have_text("感谢您的评价")
    pages[1].get_by_role("button", name="提交评价").click()
    expect(pages[1].get_by_role("heading", level=1)).to_have_text("本次服务已评价")


def test_without_scripts_a_missing_answer_is_marked_and_the_others_are_kept(visitor, invited):
    watched = visitor(java_script_enabled=False, **PHONE)
    watched.expected.append("422")
    page = watched.page(invited())
    answer(page, "满意", "不满意")
    page.locator("form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("alert").filter(has_text="请回答下方标出的问题")).to_be_visible()
    assert page.locator("fieldset.wrong").count() == 1
    assert page.locator("input:checked").evaluate_all("all => all.map(e => e.value)") == ["4", "2"]
    answer(page, "满意", "不满意", "非常满意")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("感谢您的评价")


def test_a_draft_is_there_when_the_customer_comes_back(visitor, invited):
    watched = visitor(**PHONE)
    path = invited()
    page = watched.page(path)
    answer(page, "满意", "非常不满意")
    page.close()
    page = watched.page(path)
    assert page.locator("input:checked").evaluate_all("all => all.map(e => e.value)") == ["4", "1"]


def test_large_type_asks_one_question_after_the_other(visitor, invited):
    page = visitor(**PHONE).page(invited() + "?mode=elder")
    page.get_by_role("button", name="下一题").click()  # nothing chosen: stays
    expect(page.locator("fieldset:visible")).to_contain_text("1/5")
    for _ in range(3):
        page.locator("fieldset:visible").get_by_text("满意", exact=True).click()
        page.get_by_role("button", name="下一题").click()
    page.get_by_role("button", name="上一题").click()
    expect(page.locator("fieldset:visible")).to_contain_text("3/5")
    page.get_by_role("button", name="下一题").click()
    page.get_by_role("button", name="下一题").click()
    assert page.locator(".choice").first.evaluate("e => getComputedStyle(e).minHeight") == "64px"
    sound(page, "survey/elder-last")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("感谢您的评价")


def test_an_unknown_link_says_so(visitor):
    watched = visitor(**PHONE)
    watched.expected.append("404")
    page = watched.page("/surveys/a/" + "A" * 22)
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到该评价邀请")
    sound(page, "survey/unknown")
