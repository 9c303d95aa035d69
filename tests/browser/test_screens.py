"""What holds for every screen there is: the HTML is valid, and its first load is small."""

import gzip
import re

import html5lib
import httpx
import pytest

from services.registry import load
from shared.testing.browser import Watched

BUDGET = {"desk": 60_000, "phone": 60_000, "kiosk": 150_000, "board": 150_000}
"""Bytes of a first load, packed: the page, its styles, its scripts and images."""
NOT_OURS = {"/docs"}
"""Swagger UI is larger than everything of ours together; its reader has asked for it."""

DEVICES = {"board"}
"""Roles that sit by a device's key, not by signing in; their screens are walked by their own tests."""

SCREENS = sorted(
    {
        (screen.path.replace("{unit}", "gz-001"), min(screen.roles, default=""))
        for spec in load()
        for pages in spec.pages
        for screen in pages.pages.screens
        if not screen.roles & DEVICES
    }
    | {("/", ""), ("/sign-in", ""), ("/aggregator/metrics/wait.seconds", "head_office"), ("/", "branch_manager")}
)
PEOPLE = {"teller": {"staff": "T0001"}, "branch_manager": {"staff": "M0001"}}


@pytest.fixture
def reader(visitor):
    """Whoever a screen is made for."""

    def sign_in(role: str, language: str = "zh-CN") -> Watched:
        watched = visitor(language=language)
        if role:
            watched.sign_in(**PEOPLE.get(role) or {"role": role, "unit": "gz-001" if role == "kiosk" else "hq"})
        return watched

    return sign_in


def faults(body: str) -> list[str]:
    parser = html5lib.HTMLParser()
    parser.parse(body)
    return [f"{line}:{column} {code} {body.splitlines()[line - 1][:120]}" for (line, column), code, _ in parser.errors]


def test_the_parser_sees_offences():
    assert faults("<!DOCTYPE html><title>x</title><p><div></p>")
    assert faults("<!DOCTYPE html><title>x</title><ul><li>a</ul>") == []


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize(("path", "role"), SCREENS)
def test_the_html_is_valid(reader, path, role, language):
    watched = reader(role, language)
    reply = watched.context.request.get(watched.base_url + path)
    assert reply.status == 200
    assert faults(reply.text()) == []
    ids = re.findall(r'\sid="([^"]+)"', reply.text())
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize(("path", "role"), [each for each in SCREENS if each[0] not in NOT_OURS])
def test_the_first_load_is_small(reader, path, role):
    watched = reader(role)
    page = watched.page(path)
    body = watched.context.request.get(watched.base_url + path).text()
    loaded: list[str] = page.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")
    files = sorted({url for url in loaded if "/static/" in url})
    assert len(files) > 5
    with httpx.Client(headers={"accept-encoding": "gzip"}) as browser:
        sizes = {url: int(browser.get(url).headers["content-length"]) for url in files}
    whole = len(gzip.compress(body.encode())) + sum(sizes.values())
    surface = re.search(r'data-surface="(\w+)"', body)
    assert surface is not None
    assert whole <= BUDGET[surface[1]], sizes
