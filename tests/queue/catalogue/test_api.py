"""The catalogue over HTTP: publishing, versions, prefixes, offers, classes by date."""

from datetime import timedelta

import pytest


def material(code, zh, en, kind, form="original", **more):
    return {"code": code, "names": {"zh": zh, "en": en}, "kind": kind, "form": form} | more


LOAN = {
    "names": {"zh": "个人贷款", "en": "Personal loan"},
    "prefix": "L",
    "required_qualification": "loans",
    "expected_minutes": 30,
    "materials": [
        material("id_card", "身份证", "ID card", "one_of", group="identity"),
        material("passport", "护照", "Passport", "one_of", group="identity"),
        material("marriage", "结婚证", "Marriage", "conditional", "copy", condition={"zh": "已婚", "en": "If married"}),
        material("income", "收入证明", "Income", "required", "original_and_copy"),
    ],
    "steps": [{"code": "identify", "names": {"zh": "核验", "en": "Identify"}}],
}


async def put(hall, code="loan", body=None, expect=200, **more):
    path = f"/services/{code}"
    return await hall.send("PUT", path, "head_office", units=("hq",), json=body or LOAN, expect=expect, **more)


@pytest.mark.guide("2.1b")
async def test_time_materials_and_steps_are_known_in_advance(hall):
    published = await put(hall)
    optional = {"group": None, "condition": None}
    shown = {"code": "loan", "version": 1} | LOAN | {"materials": [optional | item for item in LOAN["materials"]]}
    assert (published.json(), published.headers["etag"]) == (shown, '"1"')
    await hall.send("PUT", "/branches/gz-001/services/loan", "branch_manager", json={"offered": True})
    listed = (await hall.send("GET", "/branches/gz-001/services", "app", params={"limit": 200})).json()["items"]
    assert next(item for item in listed if item["code"] == "loan") == shown
    (told,) = [event for event in await hall.told("queue.service.changed") if event["subject"] == "service:loan"]
    assert told["data"] == {
        "service": "loan", "version": 1, "prefix": "L", "required_qualification": "loans", "expected_minutes": 30,
    }  # fmt: skip


@pytest.mark.guide("2.1b")
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"materials": []}, "/materials"), ({"materials": None}, "/materials"), ({"steps": []}, "/steps"),
        ({"steps": None}, "/steps"), ({"expected_minutes": None}, "/expected_minutes"),
    ],
)  # fmt: skip
async def test_a_service_without_materials_duration_or_steps_is_not_published(hall, change, pointer):
    told = len(await hall.told())
    body = {name: value for name, value in (LOAN | change).items() if value is not None}
    problem = (await put(hall, body=body, expect=422)).json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid_request", pointer)
    refused = await hall.send(
        "PUT", "/branches/gz-001/services/loan", "branch_manager", json={"offered": True}, expect=404
    )
    assert (refused.json()["code"], len(await hall.told())) == ("not_found", told)


async def test_versions_count_up_and_an_old_one_is_refused(hall):
    await put(hall)
    assert (await put(hall)).headers["etag"] == '"1"'
    second = await put(hall, body=LOAN | {"expected_minutes": 40}, headers={"if-match": '"1"'})
    assert (second.json()["version"], second.headers["etag"]) == (2, '"2"')
    stale = await put(hall, body=LOAN | {"expected_minutes": 50}, headers={"if-match": '"1"'}, expect=412)
    assert (stale.json()["code"], stale.json()["version"], stale.headers["etag"]) == ("stale_version", 2, '"2"')
    told = [e for e in await hall.told("queue.service.changed") if e["subject"] == "service:loan"]
    assert [(e["sequence"], e["data"]["version"]) for e in told] == [(1, 1), (2, 2)]


async def test_a_prefix_belongs_to_one_service(hall):
    taken = await put(hall, body=LOAN | {"prefix": "A"}, expect=409)
    assert (taken.json()["code"], taken.json()["errors"][0]["pointer"]) == ("prefix_taken", "/prefix")
    await put(hall)
    assert (await put(hall, "cash", LOAN, expect=409)).json()["code"] == "prefix_taken"
    # A prefix given up is free again; numbers of that prefix go on where they were.
    first = await hall.issue("cash")
    await put(hall, "cash", LOAN | {"prefix": "X"})
    await put(hall, "loan", LOAN | {"prefix": "A"})
    await hall.send("PUT", "/branches/gz-001/services/loan", "branch_manager", json={"offered": True})
    assert (first["number"], (await hall.issue("loan"))["number"]) == ("A001", "A002")


async def test_a_branch_offers_what_it_offers_and_the_list_comes_in_pages(hall):
    async def codes(unit="gz-001", **params):
        found = await hall.send("GET", f"/branches/{unit}/services", units=("hq",), params=params)
        return [item["code"] for item in found.json()["items"]], found.json()["next"]

    assert await codes() == (["cash", "fx", "info", "wealth"], None)
    first, cursor = await codes(limit=3)
    assert (first, await codes(limit=3, cursor=cursor)) == (["cash", "fx", "info"], (["wealth"], None))
    for _ in range(2):
        await hall.send("PUT", "/branches/gz-001/services/fx", "branch_manager", json={"offered": False})
    assert ((await codes())[0], (await codes("gz-002"))[0]) == (
        ["cash", "info", "wealth"],
        ["cash", "fx", "info", "wealth"],
    )
    away = await hall.send("PUT", "/branches/bj-001/services/fx", "branch_manager", json={}, expect=404)
    assert away.json()["code"] == "not_found"


async def test_a_class_counts_from_its_date_on_and_earlier_tickets_keep_their_head_start(hall):
    async def define(seconds, **more):
        body = {"names": {"zh": "关爱", "en": "Care"}, "head_start_seconds": seconds, "evidence": "senior_card"} | more
        return await hall.send("PUT", "/classes/care", "head_office", units=("hq",), json=body)

    async def in_force():
        found = (await hall.send("GET", "/classes", "kiosk")).json()["items"]
        return {item["code"]: item["head_start_seconds"] for item in found}

    noon = hall.clock.now() + timedelta(hours=3)
    await define(900, effective_from=noon.isoformat())
    assert await in_force() == {"ordinary": 0, "care": 300, "vip": 600}
    early = await hall.issue("cash", "care")
    hall.clock.set(noon)
    assert (await in_force())["care"] == 900
    late = await hall.issue("cash", "care")
    await define(0)
    waiting = (await hall.send("GET", "/branches/gz-001/waiting")).json()["items"]
    starts = {item["id"]: item for item in waiting}
    assert starts[early["id"]]["order_at"] == "2026-03-02T00:55:00Z"
    assert starts[late["id"]]["order_at"] == "2026-03-02T03:45:00Z"
    assert (await in_force())["care"] == 0


async def test_a_class_not_yet_in_force_issues_no_ticket(hall):
    body = {"names": {"zh": "军人", "en": "Military"}, "head_start_seconds": 60, "evidence": "card"}
    later = (hall.clock.now() + timedelta(minutes=1)).isoformat()
    await hall.send("PUT", "/classes/military", "head_office", units=("hq",), json=body | {"effective_from": later})
    ticket = {"service": "cash", "channel": "kiosk", "class": "military"}
    refused = await hall.send("POST", "/branches/gz-001/tickets", "kiosk", json=ticket, expect=422)
    assert (refused.json()["errors"][0]["pointer"], refused.json()["errors"][0]["code"]) == ("/class", "unknown_class")
    hall.tick(60)
    assert (await hall.issue("cash", "military"))["class"] == "military"
