"""Windows over HTTP: their states, who may run them, and the gate of qualifications at the moment of opening."""

import asyncio
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from wangdian_client import AsyncWangdian

from services.queue.windows.models import Override
from shared.db.statements import table
from shared.testing.bank import learn, person, qualification

ACTS = {"open": {"closed"}, "break": {"open"}, "resume": {"break"}, "close": {"open", "break"}, "call-next": {"open"}}
TO = {"closed": (), "open": ("open",), "break": ("open", "break")}
REASON = "柜员临时顶岗 only for today"


async def states(hall, no=1):
    windows = (await hall.send("GET", f"/branches/{hall.unit}/windows")).json()["items"]
    return next(window for window in windows if window["no"] == str(no))


@pytest.mark.guide("2.2c")
@pytest.mark.parametrize("state", TO)
async def test_every_act_in_every_state(hall, state):
    for no, (act, before) in enumerate(ACTS.items(), start=1):
        staff = f"T000{no}"
        for step in TO[state]:
            await hall.window(no, step, staff, json={"services": ["cash"]} if step == "open" else None)
        told = len(await hall.told())
        body = {"services": ["cash"]} if act == "open" else None
        answer = await hall.window(no, act, staff, json=body, expect=None)
        if state in before:
            assert answer.status_code in (200, 204), answer.text
            continue
        problem = answer.json()
        assert (answer.status_code, problem["state"]) == (409, state)
        assert problem["code"] == ("window_not_open" if act == "call-next" else "illegal_transition")
        assert problem["allowed"] == sorted(other for other, states in ACTS.items() if state in states)
        assert ((await states(hall, no))["state"], len(await hall.told())) == (state, told)


async def test_what_an_open_window_shows_and_tells(hall):
    answer = await hall.open(1, "T0001", "wealth", "cash")
    shown = answer.json()
    assert (shown["no"], shown["state"], shown["staff_id"], shown["services"]) == (
        "1", "open", "T0001", ["cash", "wealth"],
    )  # fmt: skip
    assert (shown["opened_at"], answer.headers["etag"]) == ("2026-03-02T01:00:00Z", '"2"')
    (opened,) = await hall.told("queue.window.opened")
    assert opened["data"] | {"subject": opened["subject"]} == {
        "unit": "gz-001", "window": "1", "staff": "T0001", "services": ["cash", "wealth"],
        "opened_at": "2026-03-02T01:00:00.000000Z", "subject": "window:gz-001:1",
    }  # fmt: skip
    closed = (await hall.window(1, "close")).json()
    assert (closed["staff_id"], closed["services"], closed["opened_at"]) == (None, [], None)
    assert [event["data"]["staff"] for event in await hall.told("queue.window.closed")] == ["T0001"]
    assert [row.action for row in (await hall.audited())[-2:]] == ["window.opened", "window.closed"]


async def test_without_services_a_window_opens_for_what_it_is_set_up_for(hall):
    path = "/branches/gz-001/windows/1"
    manager = {"staff": "M0001"}
    await hall.send("PUT", path, "branch_manager", **manager, json={"services": ["cash", "info"]})
    assert (await hall.open(1, "T0005")).json()["services"] == ["cash", "info"]
    await hall.send("PUT", path, "branch_manager", **manager, json={"services": ["wealth"]})
    assert (await states(hall))["services"] == ["cash", "info"]
    refused = await hall.send("PUT", path, "branch_manager", **manager, json={"services": ["cash", "gold"]}, expect=409)
    assert (refused.json()["code"], refused.json()["errors"][0]["pointer"]) == ("service_not_offered", "/services/1")
    refused = await hall.open(2, "T0001", "gold", expect=409)
    assert refused.json()["code"] == "service_not_offered"
    assert (await states(hall, 2))["state"] == "closed"


async def test_a_window_with_a_customer_neither_breaks_nor_closes(hall):
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    await hall.call(1)
    for step in (None, "start"):
        if step:
            await hall.act(ticket["id"], step)
        for act in ("break", "close"):
            problem = (await hall.window(1, act, expect=409)).json()
            assert (problem["code"], problem["visit"]) == ("window_busy", ticket["id"])
    await hall.act(ticket["id"], "finish")
    await hall.window(1, "close")


async def test_one_window_per_teller_and_one_teller_per_window(hall):
    await hall.open(1, "T0001", "cash")
    busy = (await hall.open(2, "T0001", "cash", expect=409)).json()
    assert (busy["code"], busy["window"], busy["unit"]) == ("staff_busy", "1", "gz-001")
    for act in ("break", "close"):
        assert (await hall.window(1, act, "T0002", expect=409)).json()["code"] == "not_your_window"
    path = "/branches/gz-001/windows/1/break"
    assert (await hall.send("POST", path, "branch_manager", staff="M0001")).json()["staff_id"] == "T0001"
    assert (await hall.window(1, "resume", "T0002", expect=409)).json()["code"] == "not_your_window"
    assert (await hall.window(1, "close")).json()["state"] == "closed"
    nobody = await hall.send("POST", "/branches/gz-001/windows/1/open", staff=None, expect=403)
    assert nobody.json()["code"] == "no_staff_id"


async def test_one_teller_who_opens_many_windows_at_once_gets_one(either_hall):
    hall = either_hall
    answers = await asyncio.gather(*(hall.open(no, "T0001", "cash", expect=None) for no in range(1, 6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(await hall.told("queue.window.opened")) == 1


async def test_one_window_that_many_tellers_open_at_once_has_one(either_hall):
    hall = either_hall
    answers = await asyncio.gather(*(hall.open(1, f"T000{n}", "cash", expect=None) for n in range(1, 6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    (opened,) = await hall.told("queue.window.opened")
    assert (await states(hall))["staff_id"] == opened["data"]["staff"]


@pytest.mark.guide("1.2a")
async def test_opening_is_refused_without_each_qualification_and_the_refusal_is_told(hall):
    refused = await hall.open(1, "T0005", "cash", "fx", "info", "wealth", expect=409)
    problem = refused.json()
    assert (problem["code"], problem["missing"], problem["services"]) == (
        "not_qualified", ["fxdesk", "wealth"], ["fx", "wealth"],
    )  # fmt: skip
    assert (await states(hall))["state"] == "closed"
    (told,) = await hall.told("queue.control.refused")
    assert told["data"] == {
        "unit": "gz-001", "control": "window.qualification", "object": "window:gz-001:1", "staff": "T0005",
        "missing": ["fxdesk", "wealth"], "at": "2026-03-02T01:00:00.000000Z",
    }  # fmt: skip
    assert await hall.told("queue.window.opened") == []
    assert (await hall.open(1, "T0005", "cash", "info")).json()["state"] == "open"


@pytest.mark.guide("1.2a")
async def test_expired_certificate_is_refused_with_staff_stopped(hall):
    """The staff service is no part of this system: the end of a certificate is a matter of our clock alone."""
    assert set(hall.running.app.state.services) == {"queue"}
    ends = hall.clock.now() + timedelta(minutes=30)
    await learn(hall.db, person("T0050", "gz-001"), qualification("T0050", "counter", valid_to=ends))
    await hall.open(1, "T0050", "cash")
    await hall.window(1, "close", "T0050")
    hall.clock.set(ends - timedelta(microseconds=1))
    await hall.open(1, "T0050", "cash")
    await hall.window(1, "close", "T0050")
    hall.clock.set(ends)
    refused = (await hall.open(1, "T0050", "cash", expect=409)).json()
    assert (refused["code"], refused["missing"]) == ("not_qualified", ["counter"])
    begins = ends + timedelta(hours=1)
    await learn(hall.db, qualification("T0050", "counter", valid_from=begins), sequence=2)
    assert (await hall.open(1, "T0050", "cash", expect=409)).json()["code"] == "not_qualified"
    hall.clock.set(begins)
    await hall.open(1, "T0050", "cash")


async def grant(hall, staff="T0005", code="wealth", manager="M0001", expect=201, **more):
    body = {"staff": staff, "qualification": code, "reason": REASON} | more
    path = f"/branches/{hall.unit}/overrides"
    return await hall.send("POST", path, "branch_manager", staff=manager, json=body, expect=expect)


@pytest.mark.guide("1.2a")
async def test_a_manager_overrides_for_the_day_and_it_is_told(hall):
    granted = (await grant(hall)).json()
    assert (granted["staff"], granted["qualification"], granted["granted_by"], granted["business_date"]) == (
        "T0005", "wealth", "M0001", "2026-03-02",
    )  # fmt: skip
    (told,) = await hall.told("queue.control.overridden")
    assert told["data"] == {
        "unit": "gz-001", "control": "window.qualification", "object": granted["id"], "staff": "T0005",
        "by": "M0001", "business_date": "2026-03-02", "at": "2026-03-02T01:00:00.000000Z",
    }  # fmt: skip
    await hall.open(1, "T0005", "cash", "wealth")
    await hall.window(1, "close", "T0005")
    # It is for that person, that qualification and that branch alone.
    assert (await hall.open(1, "T0005", "fx", expect=409)).json()["missing"] == ["fxdesk"]
    assert (await hall.open(1, "T0006", "wealth", expect=409)).json()["missing"] == ["wealth"]
    assert (await hall.at("gz-002").open(1, "T0005", "wealth", expect=409)).json()["missing"] == ["wealth"]
    hall.clock.set(hall.clock.now().replace(hour=15, minute=59, second=59))
    await hall.open(1, "T0005", "wealth")
    await hall.window(1, "close", "T0005")
    hall.tick()
    assert (await hall.open(1, "T0005", "wealth", expect=409)).json()["missing"] == ["wealth"]


async def test_nobody_overrides_for_themselves_or_without_a_reason_or_as_a_teller(hall):
    assert (await grant(hall, "M0001", manager="M0001", expect=409)).json()["code"] == "own_override"
    assert (await grant(hall, "M0002", manager="M0001")).json()["staff"] == "M0002"
    for reason in ("", "   ", None, "\x00", "x" * 501):
        assert (await grant(hall, reason=reason, expect=422)).json()["errors"][0]["pointer"] == "/reason"
    body = {"staff": "T0005", "qualification": "wealth", "reason": REASON}
    for role in ("teller", "kiosk", "app", "operator", "auditor", "service"):
        await hall.send("POST", "/branches/gz-001/overrides", role, json=body, expect=403)
    away = await hall.send(
        "POST", "/branches/gz-001/overrides", "branch_manager", units=("gz-002",), json=body, expect=404
    )
    assert away.json()["code"] == "not_found"
    assert len(await hall.rows(sa.select(table(Override)))) == 1


async def test_the_reason_of_an_override_is_sealed(hall, tmp_path, capfd):
    answer = await grant(hall)
    await hall.open(1, "T0005", "wealth")
    await hall.running.settle()
    (row,) = await hall.rows(sa.select(table(Override)))
    revealed = await hall.db.write(
        lambda uow: uow.reveal("override", row.id, "reason", row.reason, purpose="test"), actor="test"
    )
    assert revealed == REASON
    assert "顶岗" not in answer.text
    needles = ("顶岗".encode(), b"only for today", b"\\u9876")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not any(needle in path.read_bytes() for needle in needles), path.name
    assert "顶岗" not in "".join(capfd.readouterr())
    (audited,) = [entry for entry in await hall.audited() if entry.action == "control.overridden"]
    assert (audited.actor, audited.unit, audited.object_id) == ("M0001", "gz-001", row.id)


@pytest.mark.guide("1.2a")
async def test_a_reference_not_yet_known_is_a_conflict_to_retry_and_the_sdk_s_second_try_succeeds(hall):
    refused = await hall.open(1, "T0777", "cash", expect=409)
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("reference_not_yet_known", "1")
    assert (refused.json()["kind"], refused.json()["reference"]) == ("person", "T0777")
    unknown = await hall.send("GET", "/branches/new-001/windows", units=("hq",), expect=409)
    assert (unknown.json()["code"], unknown.headers["retry-after"]) == ("reference_not_yet_known", "1")

    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        await learn(hall.db, person("T0777", "gz-001"), qualification("T0777", "counter"))

    token = hall.running.token("teller", staff="T0777", units=["gz-001"])
    transport = httpx.ASGITransport(app=hall.running.app)
    async with AsyncWangdian("http://wangdian.test", token=token, transport=transport, sleep=sleep) as client:
        window = await client.queue.windows.open("gz-001", 1, services=["cash"])
    assert (window["state"], window["staff_id"]) == ("open", "T0777")
    assert len(waits) == 1
    assert 1 <= waits[0] <= 2


async def test_who_has_left_the_bank_opens_no_window(hall):
    gone = person("T0005", "gz-001").model_copy(update={"active": False})
    await learn(hall.db, gone, sequence=2)
    refused = await hall.open(1, "T0005", "cash", expect=409)
    assert refused.json()["code"] == "staff_not_active"
    assert "retry-after" not in refused.headers
    assert (await grant(hall, "T0005", expect=409)).json()["code"] == "staff_not_active"
