"""Units over HTTP: the tree, its bounds, and who sees what."""

import pytest

UNITS = "/staff/v1/units"
NAMES = {"zh": "新网点", "en": "New"}
NEW = {"code": "new-1", "parent": "gd", "kind": "branch", "names": NAMES}


async def ids(bank, role="head_office", units=("hq",), **params):
    answer = await bank.call("GET", UNITS, role, units=units, params=params, expect=200)
    return [unit["id"] for unit in answer.json()["items"]]


async def test_a_unit_is_created_below_its_parent(bank):
    answer = await bank.call("POST", UNITS, "head_office", json=NEW | {"zone": "Europe/Berlin"}, expect=201)
    assert answer.headers["location"] == f"{UNITS}/new-1"
    assert answer.headers["etag"] == '"1"'
    unit = (await bank.call("GET", f"{UNITS}/new-1", "head_office", expect=200)).json()
    assert unit == answer.json() == {
        "id": "new-1", "code": "new-1", "parent": "gd", "path": "/hq/gd/new-1/", "kind": "branch", "names": NAMES,
        "zone": "Europe/Berlin", "cutoff": "00:00", "valid_from": "2026-03-02T01:00:00Z", "valid_to": None,
        "version": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parent": "nowhere"}, "unknown_unit"),
        ({"parent": None}, "wrong_place"),
        ({"parent": "gz-1"}, "wrong_place"),
        ({"kind": "head_office"}, "wrong_place"),
        ({"zone": "Mars/Base"}, "unknown_zone"),
        ({"zone": "localtime"}, "unknown_zone"),
        ({"cutoff": "24:00"}, "string_pattern_mismatch"),
        ({"cutoff": "2:00"}, "string_pattern_mismatch"),
        ({"id": "x" * 64, "parent": "long"}, "path_too_long"),
        ({"valid_from": "2019-01-01T00:00:00Z"}, "outside_parent_period"),
        ({"valid_to": "2026-01-01T00:00:00Z"}, "empty_period"),
        ({"valid_from": 0}, "value_error"),
        ({"valid_from": "0001-01-01T00:00:00+14:00"}, "value_error"),
        ({"valid_from": "2026-01-01T00:00:00"}, "timezone_aware"),
        ({"names": {"zh": "", "en": "x"}}, "string_too_short"),
        ({"names": {"zh": "a\u0000", "en": "x"}}, "value_error"),
        ({"surprise": 1}, "extra_forbidden"),
        ({"id": "a/b"}, "string_pattern_mismatch"),
    ],
)
async def test_what_does_not_fit_is_refused_by_field(bank, told, change, code):
    if change.get("parent") == "long":
        long = {"id": "y" * 62, "code": "long", "parent": "gd", "kind": "region", "names": NAMES}
        await bank.call("POST", UNITS, "head_office", json=long, expect=201)
        change = change | {"parent": "y" * 62}
    before = await told()
    answer = await bank.call("POST", UNITS, "head_office", json=NEW | change, expect=422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert await told() == before


@pytest.mark.parametrize(("change", "pointer"), [({"id": "gz-1"}, "/id"), ({"code": "gz-1", "id": "n"}, "/code")])
@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_an_id_or_code_is_given_once(bank, change, pointer):
    answer = await bank.call("POST", UNITS, "head_office", json=NEW | change, expect=409)
    assert answer.json()["code"] == "already_exists"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_change_needs_the_current_version_when_it_names_one(bank):
    headers = bank.headers("head_office")
    url = f"{UNITS}/gz-1"
    first = await bank.client.patch(url, json={"cutoff": "01:00"}, headers=headers | {"if-match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    stale = await bank.client.patch(
        url, json={"cutoff": "03:00"}, headers=bank.headers("head_office") | {"if-match": '"1"'}
    )
    assert (stale.status_code, stale.json()["code"], stale.headers["etag"]) == (412, "stale_version", '"2"')


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"zone": "Nowhere/Else"}, "unknown_zone"),
        ({"zone": None}, "string_type"),
        ({"valid_to": "2019-01-01T00:00:00Z"}, "empty_period"),
        ({"parent": "bj"}, "extra_forbidden"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused(bank, change, code):
    answer = await bank.call("PATCH", f"{UNITS}/gz-1", "head_office", json=change, expect=422)
    assert answer.json()["errors"][0]["code"] == code


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_unit_ends_after_those_below_it_and_takes_nobody_new(bank):
    end = {"valid_to": "2026-03-02T01:00:00Z"}
    answer = await bank.call("PATCH", f"{UNITS}/bj", "head_office", json=end, expect=409)
    assert (answer.json()["code"], answer.json()["unit"]) == ("units_below_open", "bj-1")
    for unit in ("bj-1", "bj"):
        await bank.call("PATCH", f"{UNITS}/{unit}", "head_office", json=end, expect=200)
    reopened = await bank.call("PATCH", f"{UNITS}/bj-1", "head_office", json={"valid_to": None}, expect=422)
    assert reopened.json()["errors"][0]["code"] == "outside_parent_period"
    branch = await bank.call("POST", UNITS, "head_office", json=NEW | {"parent": "bj"}, expect=422)
    person = {"name": "赵六", "unit": "bj-1", "post": "teller"}
    joined = await bank.call("POST", "/staff/v1/people", "head_office", json=person, expect=422)
    assert [a.json()["errors"][0]["code"] for a in (branch, joined)] == ["unit_closed", "unit_closed"]


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
async def test_a_list_holds_the_callers_tree(bank):
    assert await ids(bank) == await ids(bank, units=("*",)) == ["bj", "bj-1", "gd", "gz-1", "gz-2", "hq"]
    assert await ids(bank, "branch_manager", ("gd",)) == ["gd", "gz-1", "gz-2"]
    assert await ids(bank, "teller", ("gz-1", "bj-1")) == ["bj-1", "gz-1"]
    assert await ids(bank, "teller", ("nowhere",)) == await ids(bank, "teller", ()) == []
    assert await ids(bank, parent="gd") == ["gz-1", "gz-2"]
    assert await ids(bank, kind="region") == ["bj", "gd"]
    assert await ids(bank, "branch_manager", ("gd",), parent="bj") == []
    assert await ids(bank, parent="gd", kind="region") == []


async def test_a_list_comes_in_pages(bank):
    seen, cursor = [], None
    while True:
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        answer = (await bank.call("GET", UNITS, "head_office", params=params, expect=200)).json()
        seen += [unit["id"] for unit in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == ["bj", "bj-1", "gd", "gz-1", "gz-2", "hq"]


async def test_another_units_object_is_404(bank):
    await bank.call("GET", f"{UNITS}/gz-2", "teller", units=("gz-1",), expect=404)
    await bank.call("GET", f"{UNITS}/nowhere", "teller", units=("gz-1",), expect=404)
    await bank.call("PATCH", f"{UNITS}/bj-1", "head_office", units=("gd",), json={"cutoff": "01:00"}, expect=404)
    answer = await bank.call("POST", UNITS, "head_office", units=("gd",), json=NEW | {"parent": "bj"}, expect=422)
    assert answer.json()["errors"][0]["code"] == "unknown_unit"


async def test_only_head_office_changes_the_tree(bank):
    for role in ("teller", "branch_manager", "auditor", "integration", "kiosk", "app", "operator"):
        await bank.call("POST", UNITS, role, json=NEW, expect=403)
        await bank.call("PATCH", f"{UNITS}/gz-1", role, json={"cutoff": "01:00"}, expect=403)
    assert (await bank.client.get(UNITS)).status_code == 401
