"""The whole system with the example bank, and Chromium before it.

``bank`` is one system for a file of tests, ``visitor()`` a browser of somebody before it (cookies of its own, every
complaint collected and checked at the end), ``line`` a network between the two that a test may cut.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from shared.testing.browser import PATIENCE, Watched, browser
from shared.testing.process import RunningSystem
from shared.testing.proxy import Proxy
from tests.browser.floor import clear
from tests.browser.road import Road
from tests.chaos.warm import Warm

Visitor = Callable[..., Watched]

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file of tests. Playwright keeps a loop of its own running in this thread while it lives, and
    the asynchronous tests of other files need theirs."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def bank(warm: Warm, tmp_path_factory) -> Iterator[RunningSystem]:
    """The system runs and the example bank is in it."""
    with RunningSystem(tmp_path_factory.mktemp("pages"), start=warm.launch) as system:
        system.start()
        system.wait_ready()
        system.wait_for_bank()
        yield system


@pytest.fixture
def line(bank: RunningSystem) -> Iterator[Proxy]:
    """A network to the system, in the test's hands."""
    with Proxy(bank.port) as found:
        yield found


@pytest.fixture
def visitor(chromium: Browser, bank: RunningSystem) -> Iterator[Visitor]:
    """Makes browsers of people: ``visitor(width=…, language="en", base_url=line.base_url, …)``."""
    opened: list[Watched] = []

    def make(
        *, width: int = 1280, height: int = 800, language: str = "zh-CN", base_url: str = "", **options: object
    ) -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            **options,  # type: ignore[arg-type]
        )
        opened.append(Watched(context, base_url or bank.base_url))
        return opened[-1]

    yield make
    try:
        for found in opened:
            found.check()
    finally:
        for found in opened:
            found.context.close()


@pytest.fixture
def road(bank: RunningSystem) -> Iterator[Road]:
    """A branch where nobody waits and no window is open."""
    found = Road(bank)
    clear(found)
    yield found
    found.close()
