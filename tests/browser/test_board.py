"""The lobby's board: announces each call once, in order; never an old one; says when it is stale; heals by itself."""

import os
import re

import pytest
from playwright.sync_api import expect

from shared.testing.browser import Watched, executable, shot, sound
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


def spoken(number, *languages):
    """The clips of a call to window 1."""
    digits = list(number.lower())
    said = ["chime"]
    if "zh" in languages:
        said += [f"zh/{clip}" for clip in ("please", *digits, "to", "1", "window")]
    if "en" in languages:
        said += [f"en/{clip}" for clip in ("number", *digits, "to", "1")]
    return " ".join(said)


def test_a_call_is_spoken_in_both_languages_and_not_when_muted(visitor, road):
    """What is noted as spoken has been decoded, played to its end, and heard in this order."""
    _, page = at_board(visitor)
    board, sound_button = page.locator("wd-board"), page.locator("[data-sound]")
    expect(sound_button).to_have_attribute("data-sound", "on")
    expect(sound_button).to_have_text("语音播报已开", use_inner_text=True)
    road.ticket()
    first = served(road)
    expect(board).to_have_attribute("data-spoken", spoken(first, "zh", "en"))
    # Heard more than a minute after it was called: neither shown at the top nor spoken.
    page.evaluate("""() => document.dispatchEvent(new CustomEvent("wd:live", { detail: { kind: "call", data: {
      number: "Z999", window: "9", at: new Date(Date.now() - 120_000).toISOString() } } }))""")
    sound_button.click()
    expect(sound_button).to_have_attribute("data-sound", "muted")
    expect(sound_button).to_have_text("语音播报已关", use_inner_text=True)
    sound(page, "board/muted")
    road.ticket()
    second = served(road)
    expect(page.locator("[data-number]")).to_have_text(second)
    expect(page.locator(".board-now.flash")).to_have_count(1)
    sound_button.click()
    road.ticket()
    third = served(road)
    expect(board).to_have_attribute("data-spoken", f"{spoken(first, 'zh', 'en')} {spoken(third, 'zh', 'en')}")


def test_calls_that_come_at_once_are_each_spoken(visitor, road):
    _, page = at_board(visitor)
    expect(page.locator("[data-sound]")).to_have_attribute("data-sound", "on")
    at = "new Date().toISOString()"
    page.evaluate(f"""() => {{ for (const number of ["B101", "B102"]) document.dispatchEvent(new CustomEvent("wd:live",
      {{ detail: {{ kind: "call", data: {{ number, window: "1", at: {at} }} }} }})); }}""")
    # Chinese alone while others wait to be called.
    expected = f"{spoken('B101', 'zh', 'en')} {spoken('B102', 'zh', 'en')}"
    shorter = f"{spoken('B101', 'zh')} {spoken('B102', 'zh', 'en')}"
    expect(page.locator("wd-board")).to_have_attribute("data-spoken", re.compile(f"^({expected}|{shorter})$"))


def test_a_board_without_permission_asks_for_one_touch(chromium, bank, road):
    strict = chromium.browser_type.launch(
        executable_path=executable(),
        args=["--autoplay-policy=document-user-activation-required", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
    )
    try:
        watched = Watched(strict.new_context(viewport=WIDE, locale="zh-CN"), bank.base_url)
        watched.sign_in(staff="M0001")
        # Nothing here may evaluate in the page before the touch: that would count as one.
        page = watched.page("/queue/board/gz-001")
        button = page.locator("[data-sound]")
        expect(button).to_have_attribute("data-sound", "blocked")
        expect(button).to_have_text("点一下开声音", use_inner_text=True)
        shot(page, "board/sound-blocked")
        road.ticket()
        silent = served(road)
        expect(page.locator("[data-number]")).to_have_text(silent)
        button.click()
        expect(button).to_have_attribute("data-sound", "on")
        road.ticket()
        number = served(road)
        expect(page.locator("wd-board")).to_have_attribute("data-spoken", spoken(number, "zh", "en"))
        watched.check()
    finally:
        strict.close()


@pytest.mark.parametrize(
    ("number", "window", "said"),
    [
        ("A005", "12", "chime zh/please zh/a zh/0 zh/0 zh/5 zh/to zh/10 zh/2 zh/window"),
        ("A010", "10", "chime zh/please zh/a zh/0 zh/1 zh/0 zh/to zh/10 zh/window"),
        ("VA101", "25", "chime zh/please zh/v zh/a zh/1 zh/0 zh/1 zh/to zh/2 zh/10 zh/5 zh/window"),
        ("A101", "V2", "chime zh/please zh/a zh/1 zh/0 zh/1 zh/to zh/v zh/2 zh/window"),
    ],
)
def test_a_window_is_said_as_people_count(board_page, number, window, said):
    found = board_page.evaluate(
        "async ([path, call]) => (await import(path)).sentence(call, ['zh'])",
        [voice_of(board_page), {"number": number, "window": window}],
    )
    assert " ".join(found) == said


def voice_of(page):
    return page.locator("script[src*='board.js']").get_attribute("src").replace("board.js", "voice.js")


@pytest.fixture
def board_page(visitor):
    return at_board(visitor)[1]


def test_every_clip_of_the_voice_is_there_and_small(board_page):
    build = voice_of(board_page).removesuffix("voice.js")
    sizes = {}
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    chinese = ["please", "to", "window", *map(str, range(11)), *letters]
    english = ["number", "to", *map(str, (*range(20), *range(20, 100, 10))), *letters]
    for name in ("chime", *(f"zh/{each}" for each in chinese), *(f"en/{each}" for each in english)):
        answer = board_page.request.get(f"{board_page.url.split('/queue/')[0]}{build}voice/{name}.opus")
        assert answer.status == 200, name
        sizes[name] = len(answer.body())
    assert sum(sizes.values()) < 300_000
    expect(board_page.locator("wd-board")).to_have_attribute("data-voice-kept", "45")
