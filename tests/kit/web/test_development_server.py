"""The development identity server: on loopback only, for one client and one address, each code once."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from shared.clock import FixedClock
from shared.ids import token128
from shared.settings import Settings
from shared.testing.stack.issuer import ProductionSettings, development_server, refuse_production
from shared.testing.stack.people import Branch, Person
from shared.web.oidc import Attempt, Provider, SignInRefused

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ISSUER = "http://127.0.0.1:9999"
DISTRIBUTED = {"mode": "distributed", "database_url": "postgresql://u:3kd9-Yq1@h/d", "kafka": "h:1", "jwks": "/jwks"}


@pytest.fixture
async def server(tmp_path):
    clock = FixedClock(NOON)
    settings = Settings(data=tmp_path, oidc_issuer=ISSUER)

    async def directory():
        people = [Person("T0001", "李*", "teller"), Person("M0001", "陈*", "branch_manager")]
        return [Branch("gz-001", "广州天河支行", people), Branch("<b>", "<i>北京", [])], "hq"

    app = development_server(settings, ISSUER, directory, clock)
    transport = httpx.ASGITransport(app=app)
    attempt = Attempt(token128() * 2, token128() * 2, token128() * 2, NOON, anew=True)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as browser:
        yield browser, Provider(settings, clock, transport), attempt, clock


async def choose(browser, provider, attempt, name, branch=""):
    page = await browser.get(await provider.address(attempt) + f"&branch={branch}")
    assert page.status_code == 200
    form = next(each for each in re.findall(r"<form.*?</form>", page.text) if name in each)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    reply = await browser.post("/authorize", data=fields)
    assert reply.status_code == 303
    return dict(parse_qsl(urlsplit(reply.headers["location"]).query))


async def test_anybody_of_the_branch_signs_in(server):
    browser, provider, attempt, _ = server
    claims = await provider.claims(attempt, await choose(browser, provider, attempt, "T0001"))
    assert (claims["staff_id"], claims["roles"], claims["units"]) == ("T0001", ["teller"], ["gz-001"])
    claims = await provider.claims(attempt, await choose(browser, provider, attempt, "operator"))
    assert (claims["sub"], claims["roles"], claims["units"]) == ("operator@hq", ["operator"], ["hq"])


async def test_a_code_is_good_once_for_a_minute_and_with_its_verifier(server):
    browser, provider, attempt, clock = server
    answer = await choose(browser, provider, attempt, "T0001")
    await provider.claims(attempt, answer)
    with pytest.raises(SignInRefused, match="code_refused"):
        await provider.claims(attempt, answer)
    answer = await choose(browser, provider, attempt, "T0001")
    with pytest.raises(SignInRefused, match="code_refused"):
        await provider.claims(attempt._replace(verifier=token128() * 2), answer)
    answer = await choose(browser, provider, attempt, "T0001")
    clock.set(NOON + timedelta(seconds=61))
    with pytest.raises(SignInRefused, match="code_refused"):
        await provider.claims(attempt, answer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "other"),
        ("code_challenge_method", "plain"),
        ("response_type", "token"),
    ],
)
async def test_another_client_address_or_flow_is_refused(server, name, value):
    browser, provider, attempt, _ = server
    query = dict(parse_qsl(urlsplit(await provider.address(attempt)).query)) | {name: value}
    assert (await browser.get("/authorize", params=query)).status_code == 400


async def test_names_are_shown_as_text_and_other_hosts_are_not_served(server):
    browser, provider, attempt, _ = server
    page = (await browser.get(await provider.address(attempt))).text
    assert "&lt;i&gt;北京" in page
    assert "<i>" not in page
    assert (await browser.get("/jwks.json", headers={"host": "evil.example"})).status_code == 400


@pytest.mark.parametrize(
    "given",
    [
        DISTRIBUTED,
        {"public_url": "https://wangdian.bank.example"},
        {"host": "192.0.2.1"},
    ],
)
def test_it_does_not_run_with_settings_of_production(given):
    with pytest.raises(ProductionSettings):
        refuse_production(Settings(**given))
