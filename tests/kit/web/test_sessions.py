"""Sessions and writes of pages: how long somebody stays signed in, and what a write must bring along."""

from datetime import UTC, datetime, timedelta

import pytest

from services.staff.spec import SPEC
from shared.clock import FixedClock
from shared.security.principal import Principal
from shared.testing.system import system
from shared.web.headers import CSP

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
TELLER = Principal("T0001", "T0001", frozenset({"teller"}), ("gz-001",))
OURS = {"origin": "http://test"}


@pytest.fixture
async def staff(tmp_path):
    """The service with the front door, its clock at noon."""
    clock = FixedClock(NOON)
    async with system([SPEC], tmp_path / "data", clock=clock) as running:
        running.client.base_url = "http://test"
        yield running, clock


async def signed_in(running):
    """A session and the header that carries it."""
    secret = await running.app.state.sessions.open(TELLER)
    return secret, {"cookie": f"wd_session={secret}"}


async def stays(running, secret, *, act=False):
    return await running.app.state.sessions.find(secret, act=act) is not None


async def test_a_session_ends_fifteen_minutes_after_the_last_act(staff):
    running, clock = staff
    secret, _ = await signed_in(running)
    clock.set(NOON + timedelta(minutes=14, seconds=59))
    assert await stays(running, secret)
    clock.set(NOON + timedelta(minutes=15))
    assert not await stays(running, secret)


async def test_an_act_starts_the_fifteen_minutes_again_looking_does_not(staff):
    running, clock = staff
    secret, _ = await signed_in(running)
    clock.set(NOON + timedelta(minutes=10))
    assert await stays(running, secret)
    clock.set(NOON + timedelta(minutes=14))
    assert await stays(running, secret, act=True)
    clock.set(NOON + timedelta(minutes=28))
    assert await stays(running, secret)
    clock.set(NOON + timedelta(minutes=29))
    assert not await stays(running, secret)


async def test_no_act_keeps_a_session_beyond_its_longest(staff):
    running, clock = staff
    secret, _ = await signed_in(running)
    for step in range(1, 12 * 6):
        clock.set(NOON + timedelta(minutes=10 * step))
        assert await stays(running, secret, act=True), step
    clock.set(NOON + timedelta(hours=12))
    assert not await stays(running, secret, act=True)


async def test_staying_is_one_press_and_says_when_it_is_too_late(staff):
    running, clock = staff
    _, cookie = await signed_in(running)
    clock.set(NOON + timedelta(minutes=14, seconds=30))
    assert (await running.client.post("/web/session/extend", headers=OURS | cookie)).status_code == 204
    clock.set(NOON + timedelta(minutes=29))
    assert (await running.client.post("/web/session/extend", headers=OURS | cookie)).status_code == 204
    clock.set(NOON + timedelta(minutes=45))
    assert (await running.client.post("/web/session/extend", headers=OURS | cookie)).status_code == 401


async def test_a_page_warns_a_minute_before(staff):
    running, _ = staff
    _, cookie = await signed_in(running)
    page = (await running.client.get("/", headers=cookie)).text
    assert 'data-seconds="900" data-warn="60"' in page


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://test.evil.example"},
        {"origin": "http://test", "sec-fetch-site": "cross-site"},
        {"origin": "http://test", "sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/web/session/extend"])
async def test_a_write_from_elsewhere_is_refused_and_changes_nothing(staff, path, headers):
    running, _ = staff
    secret, cookie = await signed_in(running)
    reply = await running.client.post(path, headers=headers | cookie, data={"unit": "hq", "role": "head_office"})
    assert reply.status_code == 403
    assert "set-cookie" not in reply.headers
    assert await stays(running, secret)


async def test_signing_out_ends_the_session_at_once(staff):
    running, _ = staff
    secret, cookie = await signed_in(running)
    reply = await running.client.post("/sign-out", headers=OURS | cookie)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert not await stays(running, secret)


async def test_what_browsers_refuse_is_counted_by_directive_and_never_by_their_text(staff):
    running, _ = staff
    for report in (
        '{"csp-report": {"effective-directive": "script-src-elem", "blocked-uri": "https://evil.example"}}',
        '{"csp-report": {"violated-directive": "made-up"}}',
        "no json",
        "[1]",
    ):
        assert (await running.client.post("/web/csp", content=report)).status_code == 204
    shown = (await running.client.get("/metrics")).text
    counted = [line for line in shown.splitlines() if "csp" in line and not line.startswith("#") and "_total{" in line]
    assert any('"script-src"' in line and line.endswith(" 1.0") for line in counted)
    assert any('"other"' in line and line.endswith(" 3.0") for line in counted)
    assert "evil" not in shown


async def test_every_page_says_what_it_may_load(staff):
    running, _ = staff
    for path in ("/", "/sign-in", "/docs", "/docs/events", "/nowhere"):
        reply = await running.client.get(path, headers={"accept": "text/html"})
        if path != "/nowhere":
            assert reply.status_code == 200
            assert reply.headers["content-security-policy"] == CSP
            assert reply.headers["cache-control"] == "no-store"
