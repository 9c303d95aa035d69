"""Tokens of one kind, audience or holder that are used as another's, stolen, or sent again."""

from datetime import timedelta

import jwt
import pytest
import pytest_asyncio

from shared.security.issuer import DevelopmentIssuer
from shared.security.principal import Role
from tests.security.surface import ROLES, counts, operations

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICKET, INVITATION = "/queue/v1/t/", "/surveys/v1/invitations/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def invitations(bank):
    """Tokens of the invitations of two visits that were served."""
    run, found = bank.running, []
    teller = {"staff": "T0001", "units": ("gz-001",)}
    for visit in (bank.visit["id"], bank.ticket["id"]):
        if found:
            called = await run.call("POST", "/queue/v1/branches/gz-001/windows/1/call-next", "teller", **teller)
            assert called.json()["id"] == visit
        for step in ("start", "finish"):
            await run.call("POST", f"/queue/v1/visits/{visit}/{step}", "teller", **teller, expect=200)
        await run.settle()
        path = f"/surveys/v1/visits/{visit}/invitation"
        found.append((await run.call("GET", path, "kiosk", units=("gz-001",), expect=200)).json()["token"])
    return found


async def test_a_link_s_token_opens_its_own_door_only(bank, invitations):
    ticket, invitation = bank.ticket["token"], invitations[0]
    client = bank.running.client
    assert (await client.get(f"{TICKET}{ticket}")).status_code == 200
    assert (await client.get(f"{INVITATION}{invitation}")).status_code == 200
    assert (await client.get(f"{TICKET}{invitation}")).status_code == 404
    assert (await client.get(f"{INVITATION}{ticket}")).status_code == 404
    before = await counts(bank)
    body = {"answers": {"quality": 1, "efficiency": 1, "attitude": 1}}
    key = {"idempotency-key": "stolen-ticket"}
    assert (await client.post(f"{INVITATION}{ticket}/response", json=body, headers=key)).status_code == 404
    assert await counts(bank) == before


async def test_a_link_s_token_is_no_bearer_token(bank):
    for (method, path), roles in ROLES.items():
        # Pages take no bearer token at all.
        if not roles or "/v1/" not in path:
            continue
        target = next(one for one in operations() if (one.method, one.path) == (method, path)).target(bank)
        headers = {"authorization": f"Bearer {bank.ticket['token']}", "idempotency-key": "link"}
        assert (await bank.running.client.request(method, target, headers=headers)).status_code == 401, path


async def test_a_bearer_token_in_the_address_or_the_body_is_no_bearer_token(bank):
    """There it would be in logs and histories."""
    token = bank.running.token("teller", staff="T0001", units=("*",))
    visit = f"/queue/v1/visits/{bank.visit['id']}"
    for name in ("access_token", "token", "authorization", "bearer"):
        answer = await bank.running.client.get(visit, params={name: token})
        assert answer.status_code == 401
        assert token not in answer.text
        answer = await bank.running.client.post(f"{visit}/recall", data={name: token})
        assert answer.status_code == 401


async def test_a_stolen_invitation_answers_once(bank, invitations):
    """Who answers second, the thief or the customer, is told so, and the first answer stays."""
    client = bank.running.client
    path = f"{INVITATION}{invitations[1]}/response"
    good = {"answers": {"quality": 5, "efficiency": 5, "attitude": 5}}
    bad = {"answers": {"quality": 1, "efficiency": 1, "attitude": 1}}
    first = await client.post(path, json=good, headers={"idempotency-key": "customer"})
    assert first.is_success, first.text
    again = await client.post(path, json=good, headers={"idempotency-key": "customer"})
    assert (again.status_code, again.content) == (first.status_code, first.content), "the customer's own retry"
    before = await counts(bank)
    for key, body in (("thief", bad), ("customer-2", good)):
        answer = await client.post(path, json=body, headers={"idempotency-key": key})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_answered")
    assert (await client.post(path, json=bad, headers={"idempotency-key": "customer"})).status_code == 422
    assert await counts(bank) == before


async def test_another_audience_s_token_is_not_ours_however_it_is_said(bank):
    issuer, settings = bank.running.app.state.issuer, bank.running.app.state.settings
    valid = issuer.issue("teller", sub="T0001", staff_id="T0001", units=["*"])
    claims, header = jwt.decode(valid, options={"verify_signature": False}), jwt.get_unverified_header(valid)
    visit = f"/queue/v1/visits/{bank.visit['id']}"

    async def status(**changed):
        kept = {name: value for name, value in (claims | changed).items() if value is not None}
        token = jwt.encode(kept, issuer._key, algorithm="EdDSA", headers=header)
        return (await bank.running.client.get(visit, headers={"authorization": f"Bearer {token}"})).status_code

    ours = settings.token_audience
    assert await status(aud=ours) == await status(aud=["mobile", ours]) == 200
    for audience in (
        None,
        "",
        [],
        "mobile",
        ["mobile"],
        f"{ours}-operator",
        ours.upper(),
        f" {ours}",
        [[ours]],
        7,
        {ours: 1},
    ):
        assert await status(aud=audience) == 401, audience
    for issuer_name in (None, "", f"{settings.token_issuer}/", settings.token_issuer.upper()):
        assert await status(iss=issuer_name) == 401, issuer_name


async def test_a_stolen_token_ends_with_its_time_and_reaches_its_branch_only(bank, tmp_path):
    settings, run = bank.running.app.state.settings, bank.running
    issuer = DevelopmentIssuer(settings.data / "keys", settings.token_issuer, settings.token_audience, run.clock)
    visit = f"/queue/v1/visits/{bank.ticket['id']}"

    async def status(token):
        return (await run.client.get(visit, headers={"authorization": f"Bearer {token}"})).status_code

    stolen = issuer.issue("teller", sub="T0001", staff_id="T0001", units=["gz-001"], ttl=timedelta(minutes=5))
    assert await status(stolen) == 200
    elsewhere = issuer.issue("teller", sub="T0002", staff_id="T0002", units=["gz-002"])
    assert await status(elsewhere) == 404
    run.clock.advance(timedelta(minutes=5, seconds=31))
    assert await status(stolen) == 401, "cached or not, it ends"


async def test_each_machine_s_token_is_worth_its_own_routes_only(bank):
    """A kiosk's, an app's or a service's token, stolen, opens no route of people and none of operations."""
    for role in (Role.KIOSK, Role.APP, Role.SERVICE):
        opened = {path for (method, path), roles in ROLES.items() if role in roles and method != "GET"}
        assert not any(part in path for path in opened for part in ("/operator/", "/windows/", "/people", "/units"))
        if role is Role.SERVICE:
            assert opened == set(), "a service asks other services; it changes nothing there"
