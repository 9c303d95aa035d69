"""The lobby's board: announces each call once, in order; never an old one; says when it is stale; heals by itself."""

import re

import pytest
from playwright.sync_api import expect

from shared.testing.browser import sound
from tests.browser.road import Road

WIDE = {"width": 1920, "height": 1080}
TALL = {"width": 1080, "height": 1920}
STATES = {
    "zh": WIDE,
    "en": WIDE | {"language": "en-US"},
    "portrait": TALL,
    "large-text": WIDE | {"device_scale_factor": 2},
}


@pytest.fixture(scope="module")
def road(bank):
    found = Road(bank)
    found.open("cash")
    yield found
    found.close()


def at_board(visitor, **options):
    watched = visitor(**WIDE | options)
    watched.sign_in(staff="M0001")
    return watched, watched.page("/queue/board/gz-001")


def served(road):
    called = road.call()
    road.act(called["id"], "no-show")
    return called["number"]


@pytest.mark.parametrize("state", STATES)
def test_the_board_is_sound(visitor, road, state):
    _, page = at_board(visitor, **STATES[state])
    sound(page, f"board/quiet-{state}")
    for _ in range(4):
        road.ticket()
    number = served(road)
    expect(page.locator("[data-number]")).to_have_text(number, timeout=20_000)
    expect(page.locator(".board-now.flash")).to_have_count(1)
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator(".board-list.next li").first).to_have_text(re.compile("A"))
    sound(page, f"board/calling-{state}")


def test_a_burst_is_announced_whole_and_in_order(visitor, road):
    _, page = at_board(visitor)
    for _ in range(3):
        road.ticket()
    given = [served(road) for _ in range(3)]
    expect(page.locator("wd-board")).to_have_attribute("data-announced", " ".join(given), timeout=20_000)


def test_a_cut_board_says_so_and_announces_no_old_call(visitor, road, line):
    watched = visitor(base_url=line.base_url, **WIDE)
    watched.expected += ["ERR_", "Failed to fetch"]
    watched.sign_in(staff="M0001")
    page = watched.page("/queue/board/gz-001")
    road.ticket()
    heard = served(road)
    expect(page.locator("[data-number]")).to_have_text(heard, timeout=20_000)
    line.set("hole")
    expect(page.locator("[data-live-stale]")).to_be_visible(timeout=30_000)
    sound(page, "board/stale")
    road.ticket()
    missed = served(road)
    line.set("pass")
    expect(page.locator("[data-live-stale]")).to_be_hidden(timeout=30_000)
    # At the top while it is news, in the list afterwards.
    expect(page.locator("wd-board")).to_contain_text(missed, timeout=20_000)
    # What is heard more than a minute after it was called.
    page.evaluate("""() => document.dispatchEvent(new CustomEvent("wd:live", { detail: { kind: "call", data: {
      number: "Z999", window: "9", at: new Date(Date.now() - 120_000).toISOString() } } }))""")
    expect(page.locator("[data-number]")).not_to_have_text("Z999")
    assert "Z999" not in page.locator("wd-board").get_attribute("data-announced").split()


def test_another_branchs_board_is_not_there(visitor):
    watched = visitor(**WIDE)
    watched.sign_in(staff="M0101", unit="gz-002")
    watched.expected.append("404")
    page = watched.page("/queue/board/gz-001")
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到")
