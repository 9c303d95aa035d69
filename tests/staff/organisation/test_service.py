"""Units are told as full state, once for each change."""

import asyncio

import pytest


async def test_each_unit_is_told_with_its_path(bank, told):
    states = {subject: (sequence, data) for subject, sequence, data in await told() if data.get("path")}
    assert states["gz-1"] == (
        1,
        {
            "unit": "gz-1", "parent": "gd", "path": "/hq/gd/gz-1/", "kind": "branch", "code": "gz-1",
            "zone": "Asia/Shanghai", "cutoff": "00:00", "valid_from": "2019-12-31T16:00:00.000000Z", "valid_to": None,
        },
    )  # fmt: skip
    assert list(states) == ["hq", "gd", "bj", "gz-1", "gz-2", "bj-1"]


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_change_is_told_and_no_change_is_not(bank, told):
    before = len(await told())
    await bank.call("PATCH", "/staff/v1/units/gz-1", "head_office", json={"cutoff": "02:00"}, expect=200)
    for same in ({}, {"cutoff": "02:00"}):
        answer = await bank.call("PATCH", "/staff/v1/units/gz-1", "head_office", json=same, expect=200)
        assert answer.json()["version"] == 2
    ((subject, sequence, data),) = (await told())[before:]
    assert (subject, sequence, data["cutoff"]) == ("gz-1", 2, "02:00")


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_of_many_units_with_one_code_one_is_created(bank, told):
    before = len(await told())
    unit = {"code": "sz-1", "parent": "gd", "kind": "branch", "names": {"zh": "深圳", "en": "Shenzhen"}}
    bodies = [unit | {"id": f"sz-{n}"} for n in range(10)]
    answers = await asyncio.gather(*(bank.call("POST", "/staff/v1/units", "head_office", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert len(await told()) == before + 1


async def test_a_name_of_a_unit_is_not_told(bank, told):
    await bank.call(
        "PATCH", "/staff/v1/units/gz-1", "head_office", json={"names": {"zh": "天河支行", "en": "Tianhe"}}, expect=200
    )
    assert "天河" not in str(await told())
