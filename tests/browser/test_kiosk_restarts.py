"""The kiosk switched off and on: killed after each number, and given a new build while somebody uses it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import expect

from shared.testing.browser import executable
from shared.testing.ports import free_port
from shared.testing.process import RunningSystem
from shared.testing.source import ROOT
from tests.browser.road import Road
from tests.browser.test_kiosk import COUNTS, HOME, SCREEN, at_kiosk, done, stocked, take, told, waiting


class Machine:
    """Chromium as the kiosk's own process on its own folder: to be killed without a word, and switched on again.

    A start on a busy machine takes as long as it takes (35 s were seen with a tenth of a core): nothing here is a bound
    on speed.
    """

    START = 90

    def __init__(self, folder: Path, playwright, home: str) -> None:
        self.folder, self.playwright, self.home, self.port = folder, playwright, home, free_port()

    def on(self):
        flags = [
            "--headless=new",
            "--no-first-run",
            f"--remote-debugging-port={self.port}",
            f"--user-data-dir={self.folder}",
        ]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen(
            [executable(), *flags, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + self.START
        while True:
            try:
                self.browser = self.playwright.connect_over_cdp(f"http://127.0.0.1:{self.port}")
                break
            except Exception:
                assert time.monotonic() < until
                time.sleep(0.1)
        page = self.browser.contexts[0].new_page()
        page.set_viewport_size(SCREEN)
        page.set_default_timeout(self.START * 1000)
        return page

    def kiosk(self):
        """Switched on, with its page at work."""
        page = self.on()
        page.goto(self.home, wait_until="domcontentloaded")
        page.locator("[data-kiosk][data-ready=yes]").wait_for()
        return page

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(self.START)


def test_a_kiosk_killed_after_each_number_loses_and_doubles_none(chromium, bank, road, line, tmp_path):
    machine = Machine(tmp_path / "profile", chromium.browser_type, line.base_url + HOME.format("zh", "normal"))
    page = machine.on()
    try:
        page.goto(line.base_url + "/sign-in?unit=gz-001")
        page.locator("[name=role][value=kiosk]").click()
        page.wait_for_url(line.base_url + "/")
        # A session cookie dies with the browser; the enrolled device's key does not.
        page.goto(machine.home)
        stocked(page)
        before = waiting(road)
        line.set("cut")
        given = []
        for _ in range(5):
            given.append(take(page))
            machine.kill()
            page = machine.kiosk()
        assert [act["number"] for act in page.evaluate(COUNTS)["outbox"]] == given
        assert len(set(given)) == 5
        line.set("pass")
        page.goto(line.base_url + "/sign-in?unit=gz-001")
        page.locator("[name=role][value=kiosk]").click()
        page.wait_for_url(line.base_url + "/")
        page.goto(machine.home)
        told(page)
        assert waiting(road) == before + given
    finally:
        machine.kill()


def next_build(tree):
    """Starts the system as it is after a deployment: the same code with a changed page, from a folder of its own."""
    for name in ("services", "shared", "examples"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tree / "services/queue/kiosks/web/kiosk.css").open("a") as sheet:
        sheet.write("/* another build */")

    def start(arguments, environment, output):
        environment = environment | {"PYTHONPATH": f"{tree}:{ROOT / 'clients' / 'python'}"}
        settings = [f"{name}={value}" for name, value in environment.items()]
        with output.open("ab") as said:
            return subprocess.Popen(
                ["env", *settings, sys.executable, "-m", "services", *arguments],
                cwd=tree, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    return start


def test_a_new_build_waits_for_the_customer_and_comes_once(warm, visitor, tmp_path):
    build = "() => document.querySelector('meta[name=wangdian-build]').content"
    with RunningSystem(tmp_path, start=warm.launch) as before:
        before.start()
        before.wait_ready()
        before.wait_for_bank()
        watched, page = at_kiosk(visitor, base_url=before.base_url)
        watched.expected += ["ERR_", "Failed to fetch", "Failed to load resource"]
        stocked(page)
        old = page.evaluate(build)
        page.locator(".kiosk-tile", has_text="现金存取款").click()
        before.kill()
        loads = []
        page.on("load", lambda: loads.append(page.url))
        with RunningSystem(tmp_path, start=next_build(tmp_path / "tree")) as after:
            after.port, after.base_url = before.port, before.base_url
            after.environment["PORT"] = str(before.port)
            after.start()
            after.wait_ready()

            def beat():
                with page.expect_response("**/devices/heartbeat", timeout=60_000):
                    page.evaluate("() => window.dispatchEvent(new Event('online'))")

            beat()
            page.wait_for_function(
                "async () => Boolean((await navigator.serviceWorker.getRegistration('/queue/kiosk'))?.waiting)",
                timeout=60_000,
            )
            beat()  # it is there, and somebody is in the middle of something
            page.get_by_role("button", name="材料已带齐").locator("visible=true").click()
            number = page.locator("[data-taken]:visible .taken-number")
            expect(number).to_have_text(re.compile(r"^A\d{3}$"))
            beat()
            assert (page.evaluate(build), loads) == (old, [])
            with page.expect_event("load", timeout=60_000):
                done(page)
                page.evaluate("() => window.dispatchEvent(new Event('online'))")
            expect(page.locator("[data-kiosk][data-ready=yes]")).to_have_count(1)
            assert page.evaluate(build) != old
            beat()
            assert len(loads) == 1
            told(page)
            road = Road(after)
            assert len(waiting(road)) == 1
            road.close()
