"""Signing in at an identity server: what comes back is believed only for this attempt, from this server, just now."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.staff.spec import SPEC
from shared.clock import FixedClock
from shared.contracts.staff import UnitKind
from shared.security.jwk import okp_jwk
from shared.settings import IdentityClaims, Settings
from shared.testing.system import system
from shared.web.oidc import Provider
from tests.kit.web.identity import BACK, CLIENT, ISSUER, NOON, PUBLIC, Bank, Server


@pytest.fixture
async def bank(tmp_path):
    clock = FixedClock(NOON)
    server = Server(clock)
    async with system(
        [SPEC], tmp_path / "data", clock=clock, oidc_issuer=ISSUER, public_url=PUBLIC, oidc_client=CLIENT
    ) as running:
        running.app.state.oidc = Provider(running.app.state.settings, clock, server)
        hq = {"zone": "Asia/Shanghai", "cutoff": "00:00"}
        for code, parent, kind in (("hq", None, UnitKind.HEAD_OFFICE), ("gz-001", "hq", UnitKind.BRANCH)):
            unit = hq | {"code": code, "parent": parent, "kind": kind, "names": {"zh": code, "en": code}}
            await running.call("POST", "/staff/v1/units", "head_office", json=unit, units=("*",), expect=201)
        for person, active in (("T0001", True), ("T0009", False)):
            body = {"id": person, "name": "李晓梅", "unit": "gz-001", "post": "teller", "active": active}
            await running.call("POST", "/staff/v1/people", "head_office", json=body, units=("*",), expect=201)
        found = Bank(running, server, clock)
        yield found
        await found.browser.aclose()


async def refused(bank, reply, reason):
    """Nobody is signed in, the page says why, and the attempt is over."""
    assert reply.status_code == 403
    assert reason in reply.text
    assert await bank.who() is None
    assert "__Host-wd_sign_in" not in bank.browser.cookies


async def test_who_the_bank_knows_is_signed_in_and_comes_where_they_wanted(bank):
    bank.server.says = {"staff_id": "T0001"}
    reply = await bank.sign_in("/queue/desk?unit=gz-001")
    assert (reply.status_code, reply.headers["location"]) == (303, "/queue/desk?unit=gz-001")
    who = await bank.who()
    assert (who.sub, who.staff_id, who.roles, who.units) == ("T0001", "T0001", frozenset({"teller"}), ("gz-001",))
    cookies = reply.headers.get_list("set-cookie")
    [session] = [each for each in cookies if each.startswith("__Host-wd_session=")]
    assert all(part in session for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"))
    assert "Domain" not in session
    page = await bank.browser.get("/")
    assert "T0001" in page.text


async def test_post_and_unit_of_the_person_count_where_the_server_says_nothing_of_them(bank):
    bank.server.says = {"staff_id": "T0001", "roles": None, "units": None}
    await bank.sign_in()
    who = await bank.who()
    assert (who.roles, who.units) == (frozenset({"teller"}), ("gz-001",))


async def test_groups_and_branch_codes_of_the_bank_become_ours(tmp_path, bank):
    names = IdentityClaims(
        roles="groups", units="dept", role_names={"WD-MGR": "branch_manager"}, unit_names={"4401": "gz-001"}
    )
    bank.running.app.state.settings = bank.running.app.state.settings.model_copy(update={"oidc_claims": names})
    bank.server.says = {"groups": ["WD-MGR", "teller", "everybody"], "dept": "4401", "roles": ["operator"]}
    await bank.sign_in()
    who = await bank.who()
    assert (who.sub, who.roles, who.units) == ("u-17", frozenset({"branch_manager"}), ("gz-001",))


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"nonce": "another"}, "wrong_nonce"),
        ({"nonce": None}, "missing_nonce"),
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"aud": "another-client"}, "wrong_audience"),
        ({"aud": [CLIENT, "another-client"]}, "wrong_audience"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "wrong_audience"),
        ({"azp": "other"}, "wrong_audience"),
        ({"exp": int(NOON.timestamp()) - 31}, "expired"),
        ({"exp": None}, "bad_token"),
        ({"iat": int(NOON.timestamp()) + 31}, "issued_in_future"),
        ({"nbf": int(NOON.timestamp()) + 31}, "issued_in_future"),
        ({"roles": ["service", "integration", "app"]}, "no_role"),
        ({"roles": []}, "no_role"),
        ({"units": []}, "no_unit"),
        ({"staff_id": "T0009"}, "unknown_person"),
        ({"staff_id": "T7777"}, "unknown_person"),
    ],
)
async def test_an_identity_that_does_not_hold_signs_nobody_in(bank, says, reason):
    bank.server.says = says
    await refused(bank, await bank.sign_in(), reason)


@pytest.mark.parametrize("says", [{"exp": int(NOON.timestamp()) - 29}, {"iat": int(NOON.timestamp()) + 29}])
async def test_clocks_that_differ_a_little_are_forgiven(bank, says):
    bank.server.says = says
    await bank.sign_in()
    assert await bank.who() is not None


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"state": "A" * 43}, "wrong_state"),
        ({"state": ""}, "wrong_state"),
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"code": "guessed"}, "code_refused"),
        ({"code": ""}, "no_code"),
        ({"error": "access_denied"}, "denied"),
        ({"error": "<script>"}, "refused_by_server"),
    ],
)
async def test_an_answer_that_is_not_the_one_to_this_attempt_is_refused(bank, query, reason):
    answer = bank.server.authorise(await bank.begin())
    reply = await bank.come_back(answer | query)
    await refused(bank, reply, reason)
    assert "<script>" not in reply.text


async def test_a_server_that_promises_to_name_itself_must(bank):
    bank.server.document = {"authorization_response_iss_parameter_supported": True}
    answer = bank.server.authorise(await bank.begin())
    answer.pop("iss")
    await refused(bank, await bank.come_back(answer), "wrong_issuer")


async def test_a_code_is_good_once_and_in_one_browser(bank):
    answer = bank.server.authorise(await bank.begin())
    thief = bank.another()
    reply = await bank.come_back(answer, thief)  # without the attempt's cookie
    assert (reply.status_code, await bank.who(thief)) == (403, None)
    await bank.begin(browser=thief)  # with one of its own
    assert (await bank.come_back(answer, thief)).status_code == 403
    held = dict(bank.browser.cookies)
    assert (await bank.come_back(answer)).status_code == 303
    replayed = await thief.get(
        "/sign-in/callback", params=answer, headers={"cookie": "; ".join(f"{k}={v}" for k, v in held.items())}
    )
    assert replayed.status_code == 403
    assert "code_refused" in replayed.text
    assert (await bank.come_back(answer)).status_code == 403  # the back button: the attempt is over
    await thief.aclose()


async def test_an_attempt_is_over_after_ten_minutes_and_cannot_be_changed(bank):
    answer = bank.server.authorise(await bank.begin())
    bank.clock.set(NOON + timedelta(minutes=10))
    await refused(bank, await bank.come_back(answer), "no_attempt")
    answer = bank.server.authorise(await bank.begin())
    secret, begun, anew, _ = bank.browser.cookies["__Host-wd_sign_in"].split(".")
    bank.browser.cookies.clear()
    elsewhere = base64.urlsafe_b64encode(b"/queue/hall").decode().rstrip("=")
    changed = {"cookie": f"__Host-wd_sign_in={secret}.{begun}.{anew}.{elsewhere}"}
    reply = await bank.browser.get("/sign-in/callback", params=answer, headers=changed)
    assert (reply.status_code, "wrong_state" in reply.text) == (403, True)
    for rubbish in ("", "x", "a.b.c.d", "a.1.0.%%", "." * 3, "a" * 900):
        reply = await bank.browser.get(
            "/sign-in/callback", params=answer, headers={"cookie": f"__Host-wd_sign_in={rubbish}"}
        )
        assert reply.status_code == 403


@pytest.mark.parametrize("away", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_no_other_host(bank, away):
    reply = await bank.sign_in(away)
    assert reply.headers["location"] == "/"


async def test_another_name_in_the_request_changes_no_address(bank):
    reply = await bank.browser.get(
        "/sign-in/bank", headers={"host": "evil.example", "x-forwarded-host": "evil.example"}
    )
    assert parse_qs(urlsplit(reply.headers["location"]).query)["redirect_uri"] == [BACK]


async def test_a_new_key_is_found_and_a_withdrawn_one_refused(bank):
    await bank.sign_in()
    old = bank.server.key
    bank.server.key = Ed25519PrivateKey.generate()
    bank.clock.set(NOON + timedelta(seconds=11))
    await bank.running.app.state.sessions.close(bank.browser.cookies["__Host-wd_session"])
    await refused(bank, await bank.sign_in(), "unknown_key")
    bank.server.keys = [okp_jwk(bank.server.key.public_key())]
    bank.clock.set(NOON + timedelta(seconds=22))
    assert (await bank.sign_in()).status_code == 303
    bank.server.key = old
    bank.clock.set(NOON + timedelta(seconds=33))
    await bank.running.app.state.sessions.close(bank.browser.cookies["__Host-wd_session"])
    await refused(bank, await bank.sign_in(), "unknown_key")


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"alg": "none"}, {"kid": "other"}, {"typ": "logout+jwt"}])
async def test_another_kind_of_token_is_no_identity(bank, header):
    bank.server.header = header
    reply = await bank.sign_in()
    assert reply.status_code == 403
    assert await bank.who() is None


async def test_whoever_sits_down_after_somebody_left_says_who_they_are(bank):
    location = await bank.begin()
    assert "prompt=login" not in location
    await bank.come_back(bank.server.authorise(location))
    reply = await bank.browser.post("/sign-out", headers={"origin": PUBLIC, "host": urlsplit(PUBLIC).netloc})
    assert reply.status_code == 303
    assert await bank.who() is None
    location = await bank.begin()
    assert {"prompt=login", "max_age=60"} <= set(urlsplit(location).query.split("&"))
    # The server remembered the one before, and did not ask.
    bank.server.says = {"auth_time": int(NOON.timestamp()) - 120}
    await refused(bank, await bank.come_back(bank.server.authorise(location)), "not_anew")
    bank.server.says = {}
    assert (await bank.sign_in()).status_code == 303
    assert "prompt" not in await bank.begin(browser=bank.another())


async def test_a_session_is_a_new_one_and_the_one_before_ends(bank):
    await bank.sign_in()
    before = bank.browser.cookies["__Host-wd_session"]
    bank.server.says = {"roles": ["branch_manager"]}
    await bank.sign_in()
    assert bank.browser.cookies["__Host-wd_session"] != before
    assert await bank.running.app.state.sessions.find(before, act=False) is None


async def test_a_server_that_cannot_be_asked_is_said_and_asked_again(bank):
    bank.server.down = True
    reply = await bank.browser.get("/sign-in/bank")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "10")
    bank.server.down = False
    location = await bank.begin()
    bank.clock.set(NOON + timedelta(minutes=61))
    bank.server.down = True  # what is known of it serves on
    assert (await bank.browser.get("/sign-in/bank")).status_code == 303
    assert location.startswith(ISSUER)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://identity.bank.example/token"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
async def test_a_discovery_document_that_is_not_the_banks_leads_nowhere(bank, document):
    bank.server.document = document
    assert (await bank.browser.get("/sign-in/bank")).status_code == 503


async def test_nobody_signs_in_as_anybody_where_there_is_an_identity_server(bank):
    reply = await bank.browser.post(
        "/sign-in",
        data={"unit": "gz-001", "role": "kiosk"},
        headers={"origin": PUBLIC, "host": urlsplit(PUBLIC).netloc},
    )
    assert reply.status_code == 404
    page = (await bank.browser.get("/sign-in")).text
    assert "/sign-in/bank?next=/" in page
    assert "persona" not in page


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"oidc_issuer": "http://identity.bank.example"}, "WANGDIAN_OIDC_ISSUER"),
        ({"public_url": "http://wangdian.bank.example"}, "WANGDIAN_PUBLIC_URL"),
        ({"oidc_client": "wangdian"}, "WANGDIAN_OIDC_CLIENT"),
        ({"oidc_claims": {"rolls": "x"}}, "rolls"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(given, named):
    with pytest.raises(ValueError, match=named):
        Settings(**({"oidc_issuer": ISSUER, "public_url": PUBLIC} | given))


async def test_without_an_identity_server_there_is_no_way_to_it(tmp_path):
    async with system([SPEC], tmp_path / "data") as running:
        for path in ("/sign-in/bank", "/sign-in/callback"):
            assert (await running.client.get(path)).status_code == 404
