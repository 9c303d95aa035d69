"""Qualifications over HTTP: granted, listed, revoked, by whom and for whom."""

from datetime import timedelta

import pytest

URL = "/staff/v1/people/T1/qualifications"
GRANT = {"code": "wealth", "valid_from": "2026-01-01T00:00:00+08:00", "valid_to": "2027-01-01T00:00:00+08:00"}


async def grant(bank, url=URL, role="branch_manager", units=("gz-1",), staff="M1", expect=201, **change):
    return await bank.call("POST", url, role, units=units, staff=staff, json=GRANT | change, expect=expect)


async def statuses(bank):
    answer = await bank.call("GET", URL, "teller", units=("gz-1",), expect=200)
    return [item["status"] for item in answer.json()["items"]]


async def test_a_manager_grants_within_the_branch(bank):
    answer = await grant(bank, evidence_ref="AFP-2026-0117")
    item = answer.json()
    assert answer.headers["location"] == f"{URL}/{item['id']}"
    assert item == {
        "id": item["id"], "person": "T1", "code": "wealth", "status": "valid", "valid_from": "2025-12-31T16:00:00Z",
        "valid_to": "2026-12-31T16:00:00Z", "evidence_ref": "AFP-2026-0117", "granted_by": "M1",
        "granted_at": "2026-03-02T01:00:00Z", "revoked_by": None, "revoked_at": None,
    }  # fmt: skip
    listed = await bank.call("GET", URL, "teller", units=("gz-1",), expect=200)
    assert listed.json() == {"items": [item], "next": None}


async def test_the_status_follows_the_clock(bank):
    await grant(bank, valid_from="2026-03-02T02:00:00Z", valid_to="2026-03-02T03:00:00Z")
    seen = []
    for _ in range(3):
        seen += await statuses(bank)
        bank.clock.advance(timedelta(hours=1))
    assert seen == ["pending", "valid", "expired"]


async def test_granting_oneself_is_refused(bank, told):
    before = await told()
    for role, units in (("branch_manager", ("gz-1",)), ("head_office", ("hq",))):
        answer = await grant(bank, "/staff/v1/people/M1/qualifications", role, units, expect=403)
        assert answer.json()["code"] == "own_qualification"
    assert await told() == before


@pytest.mark.parametrize("person", ["T2", "T3", "nobody"])
async def test_a_manager_reaches_nobody_of_another_branch(bank, person):
    url = f"/staff/v1/people/{person}/qualifications"
    await grant(bank, url, expect=404)
    await bank.call("GET", url, "branch_manager", units=("gz-1",), expect=404)


async def test_who_may_not_grant(bank):
    for role in ("teller", "auditor", "integration", "kiosk", "app", "operator", "service"):
        await grant(bank, role=role, expect=403)


@pytest.mark.parametrize(
    "change",
    [
        {"valid_to": "2026-01-01T00:00:00+08:00"},
        {"valid_to": "2025-01-01T00:00:00+08:00"},
        {"valid_to": None},
        {"valid_from": "2026-01-01"},
        {"valid_to": "9999-12-31T23:59:59-12:00"},
        {"code": "财富"},
        {"evidence_ref": "see file"},
    ],
)
async def test_what_does_not_fit_is_refused(bank, change):
    await grant(bank, expect=422, **change)


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_the_same_grant_twice_is_refused_and_a_renewal_is_not(bank):
    first = (await grant(bank)).json()
    again = await grant(bank, valid_to="2028-01-01T00:00:00+08:00", expect=409)
    assert (again.json()["code"], again.json()["qualification"]) == ("already_exists", first["id"])
    await grant(bank, valid_from="2026-12-01T00:00:00+08:00", valid_to="2028-01-01T00:00:00+08:00")
    assert await statuses(bank) == ["valid", "pending"]


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_revocation_is_final_and_its_reason_stays_inside(bank, audited, told, tmp_path):
    item = (await grant(bank)).json()
    url = f"{URL}/{item['id']}"
    reason = "客户李先生投诉其误导销售"
    answer = await bank.call(
        "POST", f"{url}/revoke", "branch_manager", units=("gz-1",), staff="M1", json={"reason": reason}, expect=200
    )
    assert answer.json() == item | {"status": "revoked", "revoked_by": "M1", "revoked_at": "2026-03-02T01:00:00Z"}
    again = await bank.call("POST", f"{url}/revoke", "head_office", json={"reason": "x"}, expect=409)
    assert (again.json()["code"], again.json()["state"], again.json()["allowed"]) == (
        "illegal_transition",
        "revoked",
        [],
    )
    await grant(bank)
    for file in tmp_path.rglob("*.sqlite3*"):
        assert reason.encode() not in file.read_bytes(), file
    shown = await bank.call("POST", f"{url}/reveal", "auditor", json={"purpose": "audit"}, expect=200)
    assert shown.json() == {"id": item["id"], "reason": reason}
    assert [row.action for row in (await audited())[-4:]] == [
        "qualification.granted", "qualification.revoked", "qualification.granted", "reveal",
    ]  # fmt: skip
    states = [(sequence, data["revoked_at"]) for subject, sequence, data in await told() if subject == item["id"]]
    assert states == [(1, None), (2, "2026-03-02T01:00:00.000000Z")]


async def test_a_revocation_needs_a_reason_and_the_persons_own_qualification(bank):
    item = (await grant(bank)).json()
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}):
        await bank.call("POST", f"{URL}/{item['id']}/revoke", "head_office", json=body, expect=422)
    other = f"/staff/v1/people/T2/qualifications/{item['id']}"
    await bank.call("POST", f"{other}/revoke", "head_office", json={"reason": "x"}, expect=404)
    await bank.call("POST", f"{other}/reveal", "head_office", json={"purpose": "hr"}, expect=404)
    unrevoked = await bank.call("POST", f"{URL}/{item['id']}/reveal", "head_office", json={"purpose": "hr"}, expect=200)
    assert unrevoked.json()["reason"] is None
