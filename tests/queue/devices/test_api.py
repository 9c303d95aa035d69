"""Devices over HTTP: enrolled by their code, let in by key and short token, out at once, heard or told silent."""

import pytest

from services.queue.devices import queries, service, silence
from services.queue.devices.rules import DeviceKind
from shared.directory import replica
from shared.security.principal import Principal

MANAGER = Principal("M0001", "M0001", frozenset({"branch_manager"}), ("gz-001",))


async def enrolled(hall, unit="gz-001"):
    """An enrolled kiosk: its id and its key."""
    secret = await hall.db.write(lambda uow: service.begin(uow, DeviceKind.KIOSK), actor="screen")
    [row] = await hall.rows(queries.BY_SECRET, secret_hash=hall.running.app.state.keyring.token_hash(secret))

    async def enrol(uow):
        return await service.enrol(uow, await replica.unit(uow, unit), row.code, "door")

    return await hall.db.write(enrol, actor="M0001"), secret


@pytest.fixture
async def device(hall):
    return await enrolled(hall)


async def token_of(hall, device):
    who = Principal(service.subject(device), None, frozenset({"kiosk"}), ("gz-001",))
    token, _ = await hall.db.write(lambda uow: service.new_token(uow, who), actor=who.sub)
    return token


async def beat(hall, token, expect=200, **body):
    answer = await hall.running.client.post(
        "/queue/v1/devices/heartbeat", json=body, headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_a_short_token_acts_at_its_branch_alone_and_runs_out(hall, device):
    token = await token_of(hall, device[0])
    await beat(hall, token, outbox=2, lease_left=17)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k1"}
    client = hall.running.client
    for unit, status in (("gz-001", 201), ("gz-002", 404)):
        body = {"unit": unit, "service": "cash"}
        headers["idempotency-key"] += unit
        assert (await client.post("/queue/v1/kiosks/lease", json=body, headers=headers)).status_code == status
    [seen] = (await hall.send("GET", "/branches/gz-001/devices")).json()["items"]
    assert (seen["label"], seen["state"], seen["outbox"], seen["lease_left"]) == ("door", "active", 2, 17)
    assert (await client.get("/queue/v1/branches/gz-001/waiting", headers=headers)).status_code == 200
    assert (await client.post("/queue/v1/branches/gz-001/windows/1/call-next", headers=headers)).status_code == 403
    hall.tick(601)
    assert (await beat(hall, token, 401))["code"] == "unauthenticated"


async def test_a_device_that_was_sent_away_is_out_at_once(hall, device):
    token = await token_of(hall, device[0])
    door = hall.running.app.state.devices
    assert (await door.by_secret(device[1])).units == ("gz-001",)
    await hall.db.write(lambda uow: service.revoke(uow, MANAGER, device[0]), actor="M0001")
    await beat(hall, token, 401)
    assert await door.by_secret(device[1]) is None


async def test_silence_is_told_once_and_ends_with_the_next_beat(hall, device):
    runtime = hall.running.runtime("queue")
    token = await token_of(hall, device[0])
    await beat(hall, token)
    hall.tick(89)
    await runtime.settle()
    assert await hall.told("queue.device.silent") == []
    hall.tick(2)
    await runtime.settle()
    await runtime.settle()
    [event] = await hall.told("queue.device.silent")
    assert (event["data"]["device"], event["data"]["unit"], event["data"]["kind"]) == (device[0], "gz-001", "kiosk")
    await beat(hall, token)
    hall.tick(100)
    await runtime.settle()
    assert len(await hall.told("queue.device.silent")) == 2


async def test_a_branch_that_waits_longer_hides_nobody_behind_it(hall, device, monkeypatch):
    monkeypatch.setattr(silence, "PAGE", 1)
    body = {"kind": "queue.hall", "unit": "gz-001", "body": {"device_silent_seconds": 3_600}}
    await hall.send("POST", "/policies", "head_office", json=body, units=("hq",), expect=201)
    other, _ = await enrolled(hall, "gz-002")
    assert device[0] < other, "the patient one is looked at first"
    hall.tick(200)
    await hall.running.runtime("queue").settle()
    assert [event["data"]["device"] for event in await hall.told("queue.device.silent")] == [other]
    hall.tick(3_500)
    await hall.running.runtime("queue").settle()
    assert [event["data"]["device"] for event in await hall.told("queue.device.silent")] == [other, device[0]]


@pytest.mark.parametrize("token", ["dev_", "dev_" + "A" * 22, "dev_" + "A" * 90])
async def test_a_guessed_token_opens_nothing(hall, token):
    await beat(hall, token, 401)


async def test_a_code_runs_out_and_a_wrong_one_enrols_nothing(hall):
    secret = await hall.db.write(lambda uow: service.begin(uow, DeviceKind.BOARD), actor="screen")
    [row] = await hall.rows(queries.BY_SECRET, secret_hash=hall.running.app.state.keyring.token_hash(secret))
    hall.tick(601)

    async def enrol(uow):
        return await service.enrol(uow, await replica.unit(uow, "gz-001"), row.code, "")

    with pytest.raises(service.UnknownCode):
        await hall.db.write(enrol, actor="M0001")
