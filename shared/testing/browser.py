"""A real browser over a running system: Chromium through Playwright, with everything that goes wrong collected.

The system's Chromium (Debian: ``chromium``, ``fonts-noto-cjk``) by name or by ``WANGDIAN_CHROMIUM``.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    sync_playwright,
)

from shared.settings import chromium
from shared.testing.source import ROOT

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SCREENSHOTS: Final = ROOT / "screenshots"
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Counts in the page itself, before its own scripts run: a violation of the policy may say nothing on the console.
_COUNT_VIOLATIONS: Final = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


def executable() -> str:
    """Where the browser is; FileNotFoundError says what to install."""
    found = chromium() or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError("no Chromium: install Debian's packages chromium and fonts-noto-cjk (`make tools`)")
    return found


@contextmanager
def browser(*arguments: str) -> Iterator[Browser]:
    """A running browser."""
    flags = ["--autoplay-policy=no-user-gesture-required", "--lang=zh-CN", *arguments]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable(), args=flags)
        try:
            yield found
        finally:
            found.close()


PATIENCE = 30_000
"""Milliseconds in which a page must show what it must: a machine with much else to do is slow, and not wrong."""


class Watched:
    """A context of a browser whose every page is watched.

    Collected: violations of the content security policy, errors of the console and of scripts, and requests to other
    hosts. ``expected`` are texts that a test brings about itself (a 409, a cut line): a fault with one is none.
    """

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.faults: list[str] = []
        self.expected: list[str] = []
        self._host = urlsplit(base_url).netloc
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_COUNT_VIOLATIONS)
        context.on("page", self._watch)
        context.on("request", self._request)

    def page(self, path: str = "", *, ready: str = "main") -> Page:
        """A new tab, on ``path`` if one is given."""
        page = self.context.new_page()
        if path:
            page.goto(self.base_url + path)
            page.locator(ready).first.wait_for()
        return page

    def sign_in(self, *, staff: str = "", role: str = "", unit: str = "gz-001") -> None:
        """Sign in as a member of staff, or as an office or a machine, by the form of the start page."""
        page = self.page(f"/sign-in?unit={unit}")
        value = f"[name=staff][value={staff}]" if staff else f"[name=role][value={role}]"
        page.locator(value).click()
        page.wait_for_url(self.base_url + "/")
        page.close()

    def check(self) -> None:
        """Fail with what was collected in every page that is open."""
        for page in self.context.pages:
            self.faults += [f"csp: {text}" for text in self._violations(page)]
        left = [text for text in self.faults if not any(part in text for part in self.expected)]
        assert left == [], "\n".join(left)

    @staticmethod
    def _violations(page: Page) -> list[str]:
        if page.is_closed() or not page.url.startswith("http"):
            return []
        return list(page.evaluate("() => window.__violations ?? []"))

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _failed(self, error: Error) -> None:
        self.faults.append(f"script: {error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self.faults.append(f"outside: {request.url}")


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands: rule, help, and the element of each."""
    found = Axe().run(page, options={"runOnly": TAGS}).response
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def shot(page: Page, name: str, *, full: bool = True) -> Path:
    """Keep a picture of the page as an artefact of the run (``screenshots/``, never committed)."""
    path = SCREENSHOTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=full)
    return path


def sound(page: Page, name: str) -> None:
    """Everything that holds for any page in any state: axe finds nothing, nothing scrolls sideways; with a picture."""
    shot(page, name)
    found = violations(page)
    assert found == [], "\n".join([name, *found])
    sizes: Any = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert sizes[0] <= sizes[1], f"{name}: {sizes[0]} px of content on a screen of {sizes[1]} px"
