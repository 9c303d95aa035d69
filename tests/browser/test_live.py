"""Screens that stay open: one stream a browser, nothing missed over cuts and restarts, and old figures that say so."""

import re

from playwright.sync_api import expect

from shared.testing.browser import sound

STALE = 26_000
"""Milliseconds: two and a half ticks, and a loaded machine."""


def manager(visitor, **options):
    watched = visitor(**options)
    watched.sign_in(staff="M0001")
    return watched


def waiting(page):
    return page.locator(".hall-figure dd").first


def test_many_tabs_hold_one_stream_and_the_next_goes_on_with_it(visitor, road):
    watched = manager(visitor)
    streams = []
    watched.context.on("request", lambda request: streams.append(request.url) if "/queue/live/" in request.url else 0)
    tabs = [watched.page("/queue/hall") for _ in range(4)]
    road.ticket()
    for tab in tabs:
        expect(waiting(tab)).to_have_text("1")
    assert len(streams) == 1
    tabs[0].close()
    road.ticket()
    for tab in tabs[1:]:
        expect(waiting(tab)).to_have_text("2")
    assert len(streams) == 2
    assert "after=" in streams[1]


def test_a_cut_line_heals_by_itself_and_nothing_is_missed(visitor, line, road):
    watched = manager(visitor, base_url=line.base_url)
    watched.expected += ["/queue/live/"]
    page = watched.page("/queue/hall")
    road.ticket()
    expect(waiting(page)).to_have_text("1")
    page.evaluate("""() => {
        window.heard = [];
        document.addEventListener("wd:live", (event) => window.heard.push(event.detail));
    }""")
    line.set("cut")
    for _ in range(3):
        road.ticket()
    road.open("cash")
    called = road.call()
    line.set("pass")
    expect(waiting(page)).to_have_text("3", timeout=6_000)
    heard = page.evaluate("() => window.heard")
    assert [event["kind"] for event in heard] == ["ticket", "ticket", "ticket", "window", "call"]
    assert [event["seq"] for event in heard] == list(range(heard[0]["seq"], heard[0]["seq"] + 5))
    call = heard[-1]["data"]
    assert (call["number"], call["window"], call["calls"], call["visit"]) == (called["number"], "1", 1, called["id"])


def test_a_line_that_swallows_everything_shows_as_old_figures(visitor, line, road):
    watched = manager(visitor, base_url=line.base_url)
    # What is under way when the line swallows everything fails, as it must.
    watched.expected += ["/queue/live/", "ERR_", "Failed to fetch"]
    hall, desk = watched.page("/queue/hall"), watched.page("/queue/desk")
    road.ticket()
    for page in (hall, desk):
        expect(page.locator("[data-live-state=fresh]")).to_have_count(1)
    expect(waiting(hall)).to_have_text("1")
    line.set("hole")
    road.ticket()
    for page, name in ((hall, "hall"), (desk, "desk")):
        banner = page.locator("[data-live-stale]")
        expect(banner).to_be_visible(timeout=STALE)
        expect(banner).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        sound(page, f"{name}/stale")
    expect(waiting(hall)).to_have_text("1")
    line.set("pass")
    expect(hall.locator("[data-live-stale]")).to_be_hidden(timeout=8_000)
    expect(waiting(hall)).to_have_text("2")
    expect(desk.locator("[data-live-stale]")).to_be_hidden()


def test_a_restart_of_the_server_is_not_the_end_of_a_screen(visitor, bank, road):
    watched = manager(visitor)
    watched.expected += ["/queue/live/", "ERR_CONNECTION_REFUSED"]
    page = watched.page("/queue/hall")
    road.ticket()
    expect(waiting(page)).to_have_text("1")
    page.evaluate("() => { window.same = true; }")
    assert bank.terminate() is not None  # in time, although a stream was open
    bank.start()
    bank.wait_ready()
    road.ticket()
    expect(waiting(page)).to_have_text("2")
    assert page.evaluate("() => window.same") is True


def test_a_stream_is_for_who_may_see_the_hall(visitor, road):
    signed_out = visitor().context.request.get(
        f"{road.bank.base_url}/queue/live/gz-001", headers={"hx-request": "true"}
    )
    assert signed_out.status == 401
    station = visitor()
    station.sign_in(staff="T0001")
    other = station.context.request.get(f"{road.bank.base_url}/queue/live/bj-001", headers={"hx-request": "true"})
    assert other.status == 404
