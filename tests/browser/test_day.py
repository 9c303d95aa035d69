"""One whole day by browser alone: what happened in front of the screens is what the figures say.

Everybody clicks: customers at the kiosk, on their phones and in the survey, tellers at their desks, the manager before
the figures. The test keeps its own tally and its own stopwatch. The one thing fetched is what the bank's app would send
to a customer: the link of the survey.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from shared.testing.browser import PATIENCE as SHOWN_IN
from shared.testing.browser import Watched, shot
from shared.testing.process import RunningSystem
from tests.browser.test_kiosk import COUNTS, at_kiosk, done, stocked, take, told

PHONE = {"width": 390, "height": 760}
PATIENCE = 60_000
"""Milliseconds that a person waits for a screen."""
SLACK = 3.0
"""Seconds by which a kiosk's idea of the server's clock may be off on a busy machine."""
WORDS = {1: "非常不满意", 2: "不满意", 3: "一般", 4: "满意", 5: "非常满意"}
OPINIONS = [
    (5, 5, 5), (4, 4, 4), (5, 2, 4), (4, 3, 5), (5, 5, 4, 5), (4, 4, 5, 1), (3, 3, 3), (5, 4, 5),
    (5, 5, 5, 5, 5), (4, 5, 4),
]  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Something happened between two readings of the stopwatch."""

    after: float
    before: float


def seconds(text: str) -> int:
    found = re.match(r"(\d+):(\d\d)", text)
    assert found, text
    return int(found[1]) * 60 + int(found[2])


class Day:
    """What the test saw happen."""

    def __init__(self, kiosk: Page, board: Page) -> None:
        self.kiosk, self.board = kiosk, board
        self.taken: dict[str, Span] = {}
        self.lent: dict[str, dict[str, str]] = {}
        self.called: dict[str, Span] = {}
        self.started: dict[str, Span] = {}
        self.finished: dict[str, Span] = {}
        self.announced: list[str] = []
        self.missed: list[str] = []
        self.gone: list[str] = []

    def tickets(self, *services: str) -> list[str]:
        """Customers take a number, one after the other."""
        self.lent |= {n["number"]: n for lease in self.kiosk.evaluate(COUNTS)["leases"] for n in lease["numbers"]}
        numbers = []
        for service in services:
            began = time.time()
            number = take(self.kiosk, service)
            self.taken[number] = Span(began, time.time())
            done(self.kiosk)
            numbers.append(number)
        told(self.kiosk)
        return numbers

    def call(self, desk: Page) -> str:
        """A teller calls whoever is next; the number on the desk."""
        began = time.time()
        desk.locator("#call-next button").click()
        number = desk.locator(".desk-number")
        expect(number).to_have_text(re.compile(r"[A-Z]\d{3}"))
        called = re.search(r"[A-Z]\d{3}", number.inner_text())
        assert called
        assert called[0] not in self.called
        self.called[called[0]] = Span(began, time.time())
        self.announced.append(called[0])
        return called[0]

    def again(self, desk: Page, number: str) -> None:
        """The customer does not come: the teller calls once more."""
        desk.get_by_role("button", name="重呼").click()
        expect(desk.locator(".desk-state")).to_contain_text("2")
        self.announced.append(number)

    def misses(self, desk: Page, number: str) -> None:
        """…and not now either."""
        desk.get_by_role("button", name="过号").click()
        expect(desk.locator("#call-next")).to_be_visible(timeout=30_000)
        self.missed.append(number)

    def start(self, desk: Page, number: str) -> None:
        """The customer is at the window."""
        began = time.time()
        desk.get_by_role("button", name="开始办理").click()
        expect(desk.get_by_role("button", name="办结")).to_be_visible(timeout=30_000)
        self.started[number] = Span(began, time.time())

    def finish(self, desk: Page, number: str) -> None:
        """The business is done."""
        began = time.time()
        desk.get_by_role("button", name="办结").click()
        expect(desk.locator("#call-next")).to_be_visible(timeout=30_000)
        self.finished[number] = Span(began, time.time())

    def serve(self, *desks: Page) -> None:
        """One customer at each desk, from call to finish."""
        numbers = [self.call(desk) for desk in desks]
        for act in (self.start, self.finish):
            for desk, number in zip(desks, numbers, strict=True):
                act(desk, number)

    def leave(self, phone: Page, number: str) -> None:
        """The customer gives up, on the phone."""
        phone.get_by_role("link", name="取消排队").click()
        phone.get_by_role("button", name="确定取消").click()
        expect(phone.locator(".ticket-state")).to_contain_text("您已取消排队")
        self.gone.append(number)


@pytest.fixture
def patient(visitor: Callable[..., Watched]) -> Iterator[Callable[..., Watched]]:
    """Makes browsers of people who wait a minute for a busy machine."""

    def make(**options: Any) -> Watched:
        watched = visitor(**options)
        watched.context.set_default_timeout(PATIENCE)
        return watched

    expect.set_options(timeout=PATIENCE)
    yield make
    expect.set_options(timeout=SHOWN_IN)


def mean_within(shown: str, begins: dict[str, Span], ends: dict[str, Span], slack: float) -> None:
    """The shown mean lies between the shortest and the longest that the stopwatch allows."""
    least = sum(ends[n].after - begins[n].before for n in ends) / len(ends) - slack
    most = sum(ends[n].before - begins[n].after for n in ends) / len(ends) + slack
    assert least <= seconds(shown) <= most, (least, shown, most)


def desk_of(visitor: Callable[..., Watched], staff: str) -> Page:
    """A teller signs in, goes to the desk and opens the window that is offered."""
    watched = visitor()
    watched.sign_in(staff=staff)
    page = watched.page("/")
    page.get_by_role("link", name="柜员工作台").first.click()
    page.get_by_role("button", name="开窗").click()
    expect(page.locator("#call-next")).to_be_visible()
    return page


def rate(visitor: Callable[..., Watched], bank: RunningSystem, visits: list[str]) -> None:
    """Each customer opens the link that the bank's app sent and answers; the last of them does not."""
    watched = visitor(**PHONE)
    with httpx.Client(base_url=bank.base_url, headers={"authorization": f"Bearer {bank.token('app')}"}) as app:
        for visit, scores in zip(visits, OPINIONS, strict=False):
            until = time.monotonic() + 60
            while (found := app.get(f"/surveys/v1/visits/{visit}/invitation")).status_code == 404:
                assert time.monotonic() < until
                time.sleep(0.1)
            page = watched.page(f"/surveys/a/{found.raise_for_status().json()['token']}")
            for question, score in zip(page.locator("fieldset").all(), scores, strict=False):
                question.get_by_text(WORDS[score], exact=True).click()
            page.get_by_role("button", name="提交评价").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("感谢您的评价")
            page.close()


def tiles(page: Page) -> dict[str, tuple[str, str]]:
    """The wall as it stands: title → value and n."""
    return {
        title: (value, n)
        for title, value, n in page.locator(".tile").evaluate_all("""all => all.map((tile) => [
          tile.querySelector("h3").textContent.trim(),
          tile.querySelector(".tile-value, .tile-none").textContent.trim(),
          tile.querySelector(".tile-foot").textContent.match(/n = (\\d+)/)?.[1] ?? ""])""")
    }


def late(page: Page) -> bool:
    """Whether the wall says that events are still on their way."""
    return page.get_by_text("数据不完整").count() > 0


@pytest.mark.timeout(600)  # a minute and a half of clicking and of calls that the board speaks out one by one
@pytest.mark.guide("1.1b")
@pytest.mark.guide("2.1h")
def test_a_day_by_browser_alone_is_what_the_figures_say(patient, bank):
    visitor = patient
    lobby = visitor(width=1280, height=720)
    lobby.sign_in(staff="M0001")
    board = lobby.page("/queue/board/gz-001")
    _, kiosk = at_kiosk(visitor)
    stocked(kiosk)
    day = Day(kiosk, board)
    cash, account = "现金存取款", "个人开户"

    first = day.tickets(cash, cash, account, cash)
    one, two = desk_of(visitor, "T0001"), desk_of(visitor, "T0002")
    expect(one.locator(".desk-window")).to_contain_text("1")
    expect(two.locator(".desk-window")).to_contain_text("2")

    # The first customer follows the ticket on the phone to the window.
    holder = visitor(**PHONE).page(f"/queue/t/{day.lent[first[0]]['token']}")
    expect(holder.locator(".ticket-ahead")).to_contain_text("前面没有人等候")
    number = day.call(one)
    assert number == first[0]
    expect(holder.locator(".ticket-call")).to_have_text("请到 1 号窗口办理")
    expect(board.locator("[data-number]")).to_have_text(number)
    day.start(one, number)
    day.serve(two)
    day.finish(one, number)
    holder.reload()
    expect(holder.locator(".ticket-state")).to_contain_text("业务已办结")
    holder.close()

    # Nobody comes to window 2, not even when called again; meanwhile somebody else loses patience.
    absent = day.call(two)
    more = day.tickets(cash, account, cash, cash, account)
    leaver = visitor(**PHONE).page(f"/queue/t/{day.lent[more[1]]['token']}")
    day.again(two, absent)
    day.leave(leaver, more[1])
    leaver.close()
    day.misses(two, absent)
    shot(one, "day/desk")

    day.serve(one, two)
    day.tickets(cash, account, cash, cash)
    kiosk.close()
    shot(board, "day/board")
    for _ in range(3):
        day.serve(one, two)
    day.serve(one)
    for desk in (one, two):
        expect(desk.locator("#customer")).to_contain_text("暂无可办客户")
    served = list(day.finished)
    assert (len(day.taken), len(served), len(day.missed), len(day.gone)) == (13, 11, 1, 1)
    assert sorted([*served, *day.missed, *day.gone]) == sorted(day.taken)

    rate(visitor, bank, [day.lent[number]["id"] for number in served])
    given = [score for scores in OPINIONS for score in scores]
    satisfied = sum(score >= 4 for score in given) / len(given)

    office = visitor()
    office.sign_in(staff="M0001")
    page = office.page("/")
    page.get_by_role("link", name="指标").first.click()
    page.get_by_role("link", name="今日", exact=True).click()
    wanted = {
        "取号数": ("13", ""),
        "办结数": ("11", ""),
        "弃号数（离开）": ("1", ""),
        "过号数": ("1", ""),
        "满意率": (f"{satisfied:.1%}", str(len(OPINIONS))),
        "评价回收率": (f"{len(OPINIONS) / len(served):.1%}", "11"),
        "评价邀请率": ("100.0%", "11"),
    }
    until = time.monotonic() + 60
    while (found := {title: tiles(page).get(title) for title in wanted}) != wanted or late(page):
        assert time.monotonic() < until, found
        page.reload()
    assert found == wanted
    shot(page, "day/figures")

    page.get_by_role("link", name="等候时长").click()
    whole = page.locator(".figures-whole")
    mean_within(whole.locator(".figure-value").inner_text(), day.taken, day.called, SLACK)
    expect(whole.locator("dd").first).to_have_text("12")  # whoever did not come was called, too
    page.go_back()
    page.get_by_role("link", name="办理时长").click()
    mean_within(page.locator(".figures-whole .figure-value").inner_text(), day.started, day.finished, 1.0)
    expect(page.locator(".figures-whole dd").first).to_have_text("11")

    expect(board.locator("wd-board")).to_have_attribute("data-announced", " ".join(day.announced))
