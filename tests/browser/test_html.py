"""The HTML of every page, in every state that a request can bring about, as the Nu checker sees it."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.aggregator.metrics.definitions import METRICS
from services.registry import load
from shared.testing.html import errors_of
from shared.testing.process import RunningSystem
from tests.browser.floor import fill
from tests.browser.road import Road

LANGUAGES = ("zh", "en")
OFFENCE = "<!DOCTYPE html><html lang=en><title>x</title><h1>x</h1><a id=a></a><a id=a></a><ul><p>b</ul></html>"
PEOPLE = {"teller": {"staff": "T0001"}, "branch_manager": {"staff": "M0001"}, "": {}}


class Walk:
    """Looks at pages as somebody, and keeps what came."""

    def __init__(self, bank: RunningSystem, folder: Path) -> None:
        self.bank, self.folder, self.number = bank, folder, 0
        self.people: dict[str, httpx.Client] = {}

    def person(self, role: str) -> httpx.Client:
        """Somebody's browser, signed in by the form of the start page."""
        if role not in self.people:
            origin = {"origin": self.bank.base_url}
            client = httpx.Client(base_url=self.bank.base_url, headers=origin, follow_redirects=True, timeout=60)
            self.people[role] = client
            if role:
                unit = "gz-001" if role in ("kiosk", "teller", "branch_manager") else "hq"
                given = {"unit": unit} | (PEOPLE.get(role) or {"role": role})
                assert client.post("/sign-in", data=given).status_code == 200
        return self.people[role]

    def keep(self, name: str, reply: httpx.Response, status: int) -> str:
        """Put the page where the checker finds it."""
        assert reply.status_code == status, (name, reply.status_code, reply.text[:300])
        assert reply.headers["content-type"].startswith("text/html"), name
        assert reply.text.lstrip().lower().startswith("<!doctype html"), name
        self.number += 1
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        (self.folder / f"{self.number:03}-{slug}.html").write_text(reply.text, encoding="utf-8")
        return reply.text

    def look(self, path: str, role: str = "", status: int = 200, *, elder: bool = False) -> None:
        """Look in both languages, and in large type."""
        with_more = path + ("&" if "?" in path else "?")
        for language in LANGUAGES:
            asked = f"{with_more}lang={language}&mode=normal"
            self.keep(f"{role} {path} {language}", self.person(role).get(asked), status)
        if elder:
            asked = f"{with_more}lang=zh&mode=elder"
            self.keep(f"{role} {path} elder", self.person(role).get(asked), status)


@pytest.fixture
def walk(bank: RunningSystem, tmp_path: Path) -> Iterator[Walk]:
    """Somebody who looks at everything."""
    found = Walk(bank, tmp_path)
    yield found
    for client in found.people.values():
        client.close()


def screens() -> Iterator[tuple[str, str]]:
    """Every screen of every service, with a role that may see it."""
    for spec in load():
        for pages in spec.pages:
            for screen in pages.pages.screens:
                role = min(screen.roles, default="")
                yield screen.path.replace("{unit}", "gz-001"), "branch_manager" if role == "board" else role


def tickets(walk: Walk, road: Road) -> list[str]:
    """A ticket in each of its states; the visits that were served."""
    left, missed, served, serving, called, waiting = (road.ticket() for _ in range(6))
    road.send("POST", f"/queue/v1/visits/{left['id']}/leave", "kiosk")
    states = {"left": left, "waiting": waiting, "called": called}
    road.call()
    road.act(missed["id"], "no-show")
    road.call()
    road.act(served["id"], "start", "finish")
    road.call()
    road.act(serving["id"], "start")
    walk.look("/queue/desk", "teller")
    walk.look(f"/queue/t/{serving['token']}")
    road.act(serving["id"], "finish")
    road.call()
    walk.look("/queue/desk", "teller")
    for ticket in (*states.values(), missed, served):
        walk.look(f"/queue/t/{ticket['token']}", elder=True)
    for ticket in (waiting, left):
        walk.look(f"/queue/t/{ticket['token']}/leave", elder=True)
    walk.look("/queue/t/" + "A" * 22, status=404)
    return [served["id"], serving["id"]]


def surveys(walk: Walk, road: Road, visit: str) -> None:
    """A survey before, with a mistake, and after."""
    until = time.monotonic() + 60
    while "token" not in (found := road.send("GET", f"/surveys/v1/visits/{visit}/invitation", "kiosk", (200, 404))):
        assert time.monotonic() < until
        time.sleep(0.1)
    path = f"/surveys/a/{found['token']}"
    walk.look(path, elder=True)
    key = re.search(r'name="key" value="([^"]+)"', walk.person("").get(path).text)
    assert key is not None
    walk.keep("survey wrong", walk.person("").post(path, data={"key": key[1]}), 422)
    key = re.search(r'name="key" value="([^"]+)"', walk.person("").get(path).text)
    assert key is not None
    answers = {"a-quality": 5, "a-efficiency": 4, "a-attitude": 5}
    walk.keep("survey sent", walk.person("").post(path, data={"key": key[1], **answers}), 200)
    walk.look(path)
    walk.look("/surveys/a/" + "A" * 22, status=404)


def refusals(walk: Walk) -> None:
    """Pages that say no."""
    walk.look("/queue/desk", "kiosk", 403)
    walk.look("/queue/hall?unit=bj-001", "branch_manager", 404)
    walk.look("/aggregator/metrics/nothing", "head_office", 404)
    walk.look("/aggregator/?from=yesterday", "head_office", 422)
    walk.look("/sign-in?next=/queue/desk")
    walk.look("/sign-in?unit=gz-002")
    act = "/queue/desk/gz-001/windows/1/call-next"
    walk.keep("a form without its key", walk.person("teller").post(act, data={"key": ""}), 400)
    foreign = walk.person("teller").post(act, headers={"origin": "https://evil.example"})
    walk.keep("a form from elsewhere", foreign, 403)


def test_every_page_in_every_state_is_valid(walk, road):
    for path, role in sorted(set(screens())):
        if path != "/docs":  # Swagger UI's own page
            walk.look(path, role, elder=role in ("", "kiosk"))
    for metric in METRICS:
        walk.look(f"/aggregator/metrics/{metric}?unit=gz-001", "head_office")
    for unit in ("hq", "prov-gd"):
        walk.look(f"/aggregator/?unit={unit}", "head_office")
    walk.look("/", "head_office")
    road.open("cash", "account")
    walk.look("/queue/desk", "teller")
    served = tickets(walk, road)
    surveys(walk, road, served[0])
    fill(road, 20)
    for path in ("/queue/hall", "/queue/board/gz-001"):
        walk.look(path, "branch_manager")
    walk.look("/queue/kiosk", "kiosk")
    walk.look("/aggregator/metrics/wait.seconds?unit=gz-001", "head_office")
    refusals(walk)
    assert walk.number > 100
    (walk.folder / "offence.html").write_text(OFFENCE)
    found = errors_of(walk.folder)
    assert [one for one in found if one.startswith("offence.html:")], "the checker sees nothing"
    found = [one for one in found if not one.startswith("offence.html:")]
    assert found == [], "\n".join(found)
