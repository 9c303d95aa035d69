"""Devices: codes used twice, tokens replayed, stolen, carried elsewhere or taken for another kind, keys copied."""

from datetime import timedelta

import pytest
import pytest_asyncio

from services.queue.devices import service
from services.queue.devices.errors import UnknownCode
from services.queue.devices.queries import BY_SECRET
from services.queue.devices.rules import DeviceKind
from shared.directory import replica
from shared.security.principal import Principal
from tests.security.surface import ROLES, counts, operations

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANAGER = Principal("M0001", "M0001", frozenset({"branch_manager"}), ("gz-001",))
TICKETS = "/queue/v1/branches/gz-001/tickets"
BODY = {"service": "cash", "channel": "kiosk"}


class Devices:
    """The bank's kiosks, and what somebody does with what they hold."""

    def __init__(self, bank):
        self.bank = bank
        self.run = bank.running
        self.db = bank.running.runtime("queue").db

    async def code(self, kind=DeviceKind.KIOSK):
        """A screen that asks to be enrolled: its key, and the code that it shows."""
        secret = await self.db.write(lambda uow: service.begin(uow, kind), actor="screen")
        digest = self.run.app.state.keyring.token_hash(secret)
        row = await self.db.read(lambda reads: reads.one(BY_SECRET, secret_hash=digest))
        return secret, row.code

    async def enrol(self, code, unit="gz-001"):
        async def work(uow):
            return await service.enrol(uow, await replica.unit(uow, unit), code, "door")

        return await self.db.write(work, actor="M0001")

    async def new(self, kind=DeviceKind.KIOSK, unit="gz-001"):
        """An enrolled device: its key and its id."""
        secret, code = await self.code(kind)
        return secret, await self.enrol(code, unit)

    async def token(self, secret):
        """A short token, as the device's page asks for it; None where it is refused."""
        reply = await self.page("POST", "/queue/devices/token", wd_device=secret)
        return reply.json()["token"] if reply.status_code == 200 else None

    async def page(self, method, path, **cookies):
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers = {"origin": "http://test", "host": "test", "cookie": cookie}
        return await self.run.client.request(method, path, headers=headers)

    async def send(self, token, method, path, key="k", body=None):
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "origin": "http://test", "host": "test"}
        return await self.run.client.request(method, path, headers=headers, json=body)

    async def beat(self, token):
        return (await self.send(token, "POST", "/queue/v1/devices/heartbeat", body={})).status_code

    async def revoke(self, device):
        await self.db.write(lambda uow: service.revoke(uow, MANAGER, device), actor="M0001")

    async def seen_twice(self, device):
        """What the manager is told of a device's key."""
        found = await self.run.call(
            "GET", "/queue/v1/branches/gz-001/devices", "branch_manager", staff="M0001", units=("gz-001",), expect=200
        )
        return next(each["twice_at"] for each in found.json()["items"] if each["id"] == device) is not None

    def later(self, **by):
        self.run.clock.advance(timedelta(**by))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def devices(bank):
    return Devices(bank)


async def test_a_code_enrols_one_screen_once(devices):
    secret, code = await devices.code()
    await devices.enrol(code)
    before = await counts(devices.bank)
    with pytest.raises(UnknownCode):
        await devices.enrol(code, "gz-002")
    assert await counts(devices.bank) == before
    assert await devices.token(secret) is not None


async def test_a_key_is_worth_nothing_before_its_code_is_confirmed_and_after_it_ran_out(devices):
    secret, code = await devices.code()
    assert await devices.token(secret) is None
    devices.later(minutes=11)
    with pytest.raises(UnknownCode):
        await devices.enrol(code)
    assert await devices.token(secret) is None


async def test_a_stolen_token_ends_at_once_when_its_device_is_sent_away(devices):
    """Also for a write that was answered before: its reply is kept, and given to nobody any more."""
    secret, device = await devices.new()
    token = await devices.token(secret)
    first = await devices.send(token, "POST", TICKETS, "mine", BODY)
    assert first.status_code == 201
    assert (await devices.send(token, "POST", TICKETS, "mine", BODY)).json() == first.json(), "its own retry"
    await devices.revoke(device)
    before = await counts(devices.bank)
    for key in ("mine", "another"):
        assert (await devices.send(token, "POST", TICKETS, key, BODY)).status_code == 401
    assert (await devices.send(token, "GET", "/queue/v1/branches/gz-001/waiting")).status_code == 401
    assert await devices.beat(token) == 401
    assert await devices.token(secret) is None
    assert (await devices.page("GET", "/queue/kiosk", wd_device=secret)).status_code == 303
    assert await counts(devices.bank) == before


async def test_a_stolen_token_ends_with_its_ten_minutes_and_cannot_prolong_itself(devices):
    secret, _ = await devices.new()
    token = await devices.token(secret)
    assert (await devices.page("POST", "/queue/devices/token", wd_device=token)).status_code == 401
    assert (await devices.send(token, "POST", "/queue/devices/token")).status_code == 401
    devices.later(minutes=10, seconds=1)
    assert await devices.beat(token) == 401


async def test_another_device_gets_no_reply_of_this_one_by_its_key(devices):
    """A replayed request is a request of whoever sends it."""
    mine, theirs = [await devices.token((await devices.new())[0]) for _ in range(2)]
    first = await devices.send(mine, "POST", TICKETS, "same", BODY)
    other = await devices.send(theirs, "POST", TICKETS, "same", BODY)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


async def test_a_device_of_one_branch_finds_nothing_of_another(devices):
    """Every route of a branch that a kiosk or a board may call, with the other branch's name."""
    tried = 0
    for kind in DeviceKind:
        token = await devices.token((await devices.new(kind))[0])
        before = await counts(devices.bank)
        for one in operations():
            if "{unit}" not in one.path or kind not in ROLES[one.method, one.path]:
                continue
            tried += 1
            path = one.path.replace("{unit}", "gz-002")
            target = path.format(
                no="1", visit=devices.bank.visit["id"], service="cash", code="cash", device="x", call="x"
            )
            reply = await devices.send(token, one.method, target, f"{kind}{tried}", BODY if one.body else None)
            # Bodies of other routes do not fit; whether the branch exists is not told by that either.
            assert reply.status_code in {404, 422}, (target, reply.text)
            if one.method == "GET" or "/tickets" in path:
                assert reply.status_code == 404, (target, reply.text)
        assert await counts(devices.bank) == before
    assert tried >= 8


async def test_a_board_s_token_is_no_kiosk_s(devices):
    token = await devices.token((await devices.new(DeviceKind.BOARD))[0])
    assert await devices.beat(token) == 200
    assert (await devices.send(token, "POST", TICKETS, "board", BODY)).status_code == 403
    lease = {"unit": "gz-001", "service": "cash"}
    assert (await devices.send(token, "POST", "/queue/v1/kiosks/lease", "board", lease)).status_code == 403


async def test_no_kind_of_token_passes_for_another(devices):
    """A device's key, its short token, a person's session, a bearer token, a ticket's link: each at its own door."""
    secret, _ = await devices.new()
    token = await devices.token(secret)
    run = devices.run
    session = await run.app.state.sessions.open(MANAGER)
    bearer = run.token("kiosk", units=("gz-001",))
    ticket = devices.bank.ticket["token"]
    for wrong in (secret, f"dev_{secret}", session, f"dev_{session}", f"dev_{ticket}", f"{token}x", token[:-1], "dev_"):
        assert await devices.beat(wrong) == 401, wrong
    for wrong in (token, session, bearer, ticket):
        assert (await devices.page("POST", "/queue/devices/token", wd_device=wrong)).status_code == 401
        assert (await devices.page("GET", "/queue/kiosk", wd_device=wrong)).status_code == 303
    for wrong in (token, secret, bearer, ticket):
        assert (await devices.page("GET", "/queue/devices", wd_session=wrong)).status_code == 303
    for wrong in (token, secret, session):
        for link in ("/queue/v1/t/", "/surveys/v1/invitations/"):
            # What has not even the form of a link's token is told so.
            assert (await run.client.get(link + wrong)).status_code == (404 if len(wrong) == len(ticket) else 422)


async def test_a_device_s_token_opens_no_route_of_people_or_operations(devices):
    token = await devices.token((await devices.new())[0])
    before = await counts(devices.bank)
    for one in operations():
        roles = ROLES[one.method, one.path]
        if roles and "kiosk" not in roles:
            reply = await devices.send(token, one.method, one.target(devices.bank), "people")
            assert reply.status_code == 403, (one.method, one.path, reply.text)
    assert await counts(devices.bank) == before


async def test_a_token_carries_no_right_of_the_person_who_stands_in_for_a_device(devices):
    both = Principal("M0001", "M0001", frozenset({"branch_manager", "kiosk"}), ("gz-001",))
    token, _ = await devices.db.write(lambda uow: service.new_token(uow, both), actor="M0001")
    assert await devices.beat(token) == 200
    assert (await devices.send(token, "GET", "/queue/v1/branches/gz-001/overrides")).status_code in {403, 405}
    granted = {"staff": "T0001", "qualification": "fx", "reason": "x"}
    reply = await devices.send(token, "POST", "/queue/v1/branches/gz-001/overrides", "p", granted)
    assert reply.status_code == 403


async def test_a_key_copied_to_another_machine_is_noticed(devices):
    secret, device = await devices.new()
    mine = await devices.token(secret)
    assert await devices.beat(mine) == 200
    devices.later(minutes=3)
    theirs = await devices.token(secret)
    assert await devices.beat(theirs) == 200
    assert await devices.beat(mine) == 200
    assert not await devices.seen_twice(device), "a beat may be late"
    devices.later(seconds=61)
    assert await devices.beat(theirs) == 200
    assert not await devices.seen_twice(device)
    assert await devices.beat(mine) == 200, "which of them is the thief nobody knows"
    assert await devices.seen_twice(device)
    page = await devices.page("GET", "/queue/devices", wd_session=await devices.run.app.state.sessions.open(MANAGER))
    assert "密钥已被复制" in page.text
    recorded = await audited(devices, device)
    assert recorded == ["device.enrolled", "device.key_used_twice"]
    await devices.beat(mine)
    assert await audited(devices, device) == recorded, "told once a day"


async def test_a_device_that_renews_its_token_or_starts_again_is_no_copy(devices):
    secret, device = await devices.new()
    for minutes in (9, 1, 9, 30):
        token = await devices.token(secret)
        for _ in range(4):
            assert await devices.beat(token) == 200
            devices.later(seconds=30)
        devices.later(minutes=minutes)
    assert not await devices.seen_twice(device)


async def audited(devices, device):
    """What the audit log holds about a device."""
    import sqlalchemy as sa

    from shared.security.audit_models import audit_row

    asked = sa.select(audit_row.c.action).where(audit_row.c.object_id == device).order_by(audit_row.c.seq)
    return [row.action for row in await devices.db.read(lambda reads: reads.all(asked))]
