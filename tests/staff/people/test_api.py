"""People over HTTP: masked names, reveals with a purpose, and the caller's tree."""

import pytest

PEOPLE = "/staff/v1/people"
NEW = {"id": "T9", "name": "赵晓燕", "unit": "gz-1", "post": "teller"}


async def people(bank, role="head_office", units=("hq",), **params):
    answer = await bank.call("GET", PEOPLE, role, units=units, params=params, expect=200)
    return {person["id"]: person["name"] for person in answer.json()["items"]}


async def test_a_person_is_created_and_the_name_comes_back_masked(bank):
    answer = await bank.call("POST", PEOPLE, "branch_manager", units=("gz-1",), json=NEW, expect=201)
    assert answer.headers["location"] == f"{PEOPLE}/T9"
    assert answer.json() == {
        "id": "T9", "name": "赵*", "unit": "gz-1", "post": "teller", "active": True, "version": 1,
    }  # fmt: skip
    got = await bank.call("GET", f"{PEOPLE}/T9", "teller", units=("gz-1",), expect=200)
    assert (got.json(), got.headers["etag"]) == (answer.json(), '"1"')


async def test_an_id_is_given_where_none_is_stated(bank):
    body = {name: NEW[name] for name in ("name", "unit", "post")}
    answer = await bank.call("POST", PEOPLE, "head_office", json=body, expect=201)
    assert len(answer.json()["id"]) == 36


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_list_holds_a_unit_and_all_below_it_with_masked_names(bank):
    assert await people(bank) == {"M1": "陈*", "T1": "李*", "T2": "欧阳*", "T3": "王*"}
    assert await people(bank, unit="gd") == {"M1": "陈*", "T1": "李*", "T2": "欧阳*"}
    assert await people(bank, unit="gz-2") == {"T2": "欧阳*"}
    assert await people(bank, "branch_manager", ("gz-1",)) == {"M1": "陈*", "T1": "李*"}
    first = (await bank.call("GET", PEOPLE, "head_office", params={"limit": 3}, expect=200)).json()
    rest = await people(bank, cursor=first["next"])
    assert (len(first["items"]), rest) == (3, {"T3": "王*"})


@pytest.mark.guide("3.1c")
@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_name_is_revealed_for_a_purpose_and_each_reveal_is_logged(bank, audited):
    url = f"{PEOPLE}/T2/reveal"
    for body in ({}, {"purpose": "curiosity"}, {"purpose": None}, {"purpose": ""}):
        refused = await bank.call("POST", url, "branch_manager", staff="M1", units=("gd",), json=body, expect=422)
        assert refused.json()["errors"][0]["pointer"] == "/purpose"
    before = len(await audited())
    answer = await bank.call(
        "POST", url, "branch_manager", staff="M1", units=("gd",), json={"purpose": "customer_complaint"}, expect=200
    )
    assert answer.json() == {"id": "T2", "name": "欧阳小明"}
    (row,) = (await audited())[before:]
    assert (row.actor, row.action, row.object_type, row.object_id, row.purpose) == (
        "M1", "reveal", "person", "T2", "customer_complaint",
    )  # fmt: skip


async def test_a_revealed_name_is_kept_nowhere_and_a_retry_is_logged_again(bank, audited, tmp_path):
    headers = bank.headers("auditor", key="one-key")
    before = len(await audited())
    for _ in range(2):
        answer = await bank.client.post(f"{PEOPLE}/T2/reveal", json={"purpose": "audit"}, headers=headers)
        assert answer.json()["name"] == "欧阳小明"
    assert len(await audited()) == before + 2
    for file in tmp_path.rglob("*.sqlite3*"):
        assert "欧阳小明".encode() not in file.read_bytes(), file


async def test_who_may_not_reveal(bank, audited):
    before = len(await audited())
    body = {"purpose": "hr"}
    for role in ("teller", "integration", "kiosk", "app", "operator"):
        await bank.call("POST", f"{PEOPLE}/T1/reveal", role, json=body, expect=403)
    await bank.call("POST", f"{PEOPLE}/T1/reveal", "branch_manager", units=("gz-2",), json=body, expect=404)
    assert len(await audited()) == before


async def test_another_units_person_is_404_to_read_and_to_write(bank):
    for person in ("T2", "nobody"):
        url = f"{PEOPLE}/{person}"
        await bank.call("GET", url, "branch_manager", units=("gz-1",), expect=404)
        await bank.call("PATCH", url, "branch_manager", units=("gz-1",), json={"active": False}, expect=404)
    await bank.call("GET", PEOPLE, "branch_manager", units=("gz-1",), params={"unit": "gz-2"}, expect=404)
    for unit in ("gz-2", "nowhere"):
        moves = [
            await bank.call("POST", PEOPLE, "branch_manager", units=("gz-1",), json=NEW | {"unit": unit}, expect=422),
            await bank.call(
                "PATCH", f"{PEOPLE}/T1", "branch_manager", units=("gz-1",), json={"unit": unit}, expect=422
            ),
        ]
        assert [answer.json()["errors"][0]["code"] for answer in moves] == ["unknown_unit"] * 2


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_change_keeps_what_is_left_out(bank):
    change = {"unit": "gz-2", "active": False}
    answer = await bank.call("PATCH", f"{PEOPLE}/T1", "head_office", json=change, expect=200)
    assert answer.json() == {
        "id": "T1", "name": "李*", "unit": "gz-2", "post": "teller", "active": False, "version": 2,
    }  # fmt: skip
    stale = await bank.client.patch(
        f"{PEOPLE}/T1", json={"post": "manager"}, headers=bank.headers("head_office") | {"if-match": '"1"'}
    )
    assert stale.status_code == 412


async def test_a_name_can_be_corrected(bank):
    answer = await bank.call("PATCH", f"{PEOPLE}/T1", "head_office", json={"name": "司马晓梅"}, expect=200)
    assert answer.json()["name"] == "司马*"
    revealed = await bank.call("POST", f"{PEOPLE}/T1/reveal", "head_office", json={"purpose": "hr"}, expect=200)
    assert revealed.json()["name"] == "司马晓梅"


async def test_a_person_cannot_take_the_id_of_a_unit(bank):
    answer = await bank.call("POST", PEOPLE, "head_office", json=NEW | {"id": "gz-1"}, expect=409)
    assert answer.json()["code"] == "already_exists"
    unit = {"id": "T1", "code": "x-1", "parent": "gd", "kind": "branch", "names": {"zh": "甲", "en": "x"}}
    await bank.call("POST", "/staff/v1/units", "head_office", json=unit, expect=409)
    await bank.call("POST", PEOPLE, "head_office", json=NEW | {"id": "T1"}, expect=409)


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"name": "a\nb"},
        {"name": "a\u0000"},
        {"name": "甲" * 101},
        {"post": "no such post"},
        {"active": None},
        {"active": 0},
    ],
)
async def test_what_does_not_fit_is_refused(bank, change):
    await bank.call("POST", PEOPLE, "head_office", json=NEW | change, expect=422)
    await bank.call("PATCH", f"{PEOPLE}/T1", "head_office", json=change, expect=422)


async def test_who_may_not_write(bank):
    for role in ("teller", "auditor", "integration", "kiosk", "app"):
        await bank.call("POST", PEOPLE, role, json=NEW, expect=403)
    for role in ("kiosk", "app", "operator"):
        await bank.call("GET", PEOPLE, role, expect=403)
