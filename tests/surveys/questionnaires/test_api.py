"""Questionnaires by HTTP: versions, publishing, what is in force."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.security.audit_models import audit_row

BASE = "/surveys/v1/questionnaires"


def item(dimension, code=None, **more):
    return {"code": code or dimension, "dimension": dimension, "texts": {"zh": "好吗?", "en": "Good?"}} | more


def questionnaire(*dimensions, code="visit"):
    return {"code": code, "items": [item(dimension) for dimension in dimensions]}


@pytest.mark.guide("1.2e")
@pytest.mark.parametrize("missing", ["quality", "efficiency", "attitude"])
async def test_publishing_is_refused_while_a_dimension_is_missing(surveys, missing):
    present = {"quality", "efficiency", "attitude", "convenience"} - {missing}
    await surveys.call("POST", BASE, "head_office", json=questionnaire(*sorted(present)), expect=201)
    refused = await surveys.call("POST", f"{BASE}/visit/versions/1/publish", "head_office", expect=422)
    assert refused.json()["code"] == "dimensions_missing"
    assert refused.json()["missing"] == [missing]
    assert (await surveys.call("GET", f"{BASE}/visit/versions/1", "auditor")).json()["state"] == "draft"
    await surveys.call("GET", f"{BASE}/visit", "auditor", expect=404)


async def test_each_post_is_the_next_version_also_in_parallel(surveys):
    body = questionnaire("quality", "efficiency", "attitude")
    made = await asyncio.gather(*(surveys.call("POST", BASE, "head_office", json=body, expect=201) for _ in range(8)))
    assert sorted(answer.json()["version"] for answer in made) == list(range(1, 9))
    assert {answer.json()["state"] for answer in made} == {"draft"}


async def test_a_published_version_is_immutable_and_can_only_be_retired(surveys):
    await surveys.published()
    again = await surveys.call("POST", f"{BASE}/visit/versions/1/publish", "head_office", expect=409)
    assert (again.json()["state"], again.json()["allowed"]) == ("published", ["retire"])
    before = (await surveys.call("GET", f"{BASE}/visit/versions/1", "auditor")).json()
    for method in ("PUT", "PATCH", "DELETE"):
        await surveys.call(method, f"{BASE}/visit/versions/1", "head_office", json={}, expect=405)
    assert (await surveys.call("GET", f"{BASE}/visit/versions/1", "auditor")).json() == before
    retired = await surveys.call("POST", f"{BASE}/visit/versions/1/retire", "head_office", expect=200)
    assert retired.json()["state"] == "retired"
    final = await surveys.call("POST", f"{BASE}/visit/versions/1/retire", "head_office", expect=409)
    assert final.json()["allowed"] == []
    await surveys.call("GET", f"{BASE}/visit", "auditor", expect=404)


async def test_the_newest_version_that_has_begun_is_in_force(surveys):
    await surveys.published()
    later = surveys.clock.now() + timedelta(days=1)
    await surveys.published(effective_from=later.isoformat())
    assert (await surveys.call("GET", f"{BASE}/visit", "branch_manager")).json()["version"] == 1
    surveys.clock.advance(timedelta(days=1))
    assert (await surveys.call("GET", f"{BASE}/visit", "branch_manager")).json()["version"] == 2
    await surveys.call("POST", f"{BASE}/visit/versions/2/retire", "head_office", expect=200)
    assert (await surveys.call("GET", f"{BASE}/visit", "branch_manager")).json()["version"] == 1


@pytest.mark.parametrize(
    ("effective_from", "code"),
    [("2026-03-01T00:00:00Z", "in_the_past"), ("9999-12-31T23:59:59-12:00", "too_far_ahead")],
)
async def test_a_start_in_the_past_or_in_another_age_is_refused(surveys, effective_from, code):
    body = questionnaire("quality", "efficiency", "attitude")
    await surveys.call("POST", BASE, "head_office", json=body, expect=201)
    path = f"{BASE}/visit/versions/1/publish"
    refused = await surveys.call("POST", path, "head_office", json={"effective_from": effective_from}, expect=422)
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/effective_from", code)]


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ([], "/items"),
        ([item("quality"), item("attitude", "quality")], "/items/1/code"),
        ([item("quality", scale_min=3, scale_max=3)], "/items/0/scale_max"),
        ([item("quality", scale_max=5.5)], "/items/0/scale_max"),
        ([item("quality", scale_max=10**30)], "/items/0/scale_max"),
        ([item("charm", "c")], "/items/0/dimension"),
        ([item("quality") | {"texts": {"zh": "好吗?"}}], "/items/0/texts/en"),
        ([item("quality") | {"texts": {"zh": "\x00", "en": "x"}}], "/items/0/texts/zh"),
        ([item("quality", weight=2)], "/items/0/weight"),
    ],
)
async def test_a_faulty_item_is_refused_where_it_stands(surveys, items, pointer):
    refused = await surveys.call("POST", BASE, "head_office", json={"code": "visit", "items": items}, expect=422)
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
    assert (await surveys.call("GET", BASE, "auditor")).json()["items"] == []


async def test_versions_are_listed_page_by_page(surveys):
    for code in ("visit", "a", "visit", "b.1", "visit"):
        await surveys.call("POST", BASE, "head_office", json=questionnaire("quality", code=code), expect=201)
    seen, cursor = [], {}
    while True:
        listed = (await surveys.call("GET", BASE, "auditor", params={"limit": 2} | cursor, expect=200)).json()
        seen += [(row["code"], row["version"]) for row in listed["items"]]
        if listed["next"] is None:
            break
        cursor = {"cursor": listed["next"]}
    assert seen == [("a", 1), ("b.1", 1), ("visit", 1), ("visit", 2), ("visit", 3)]


@pytest.mark.parametrize("after", ['"visit/x"', '"visit/99999999999999999999"', '"visit/²"', "3"])
async def test_a_made_up_cursor_is_refused(surveys, after):
    import base64

    cursor = base64.urlsafe_b64encode(after.encode()).decode()
    await surveys.call("GET", BASE, "auditor", params={"cursor": cursor}, expect=422)


async def test_only_head_office_writes_and_each_write_is_audited(surveys):
    body = questionnaire("quality", "efficiency", "attitude")
    for role in ("teller", "branch_manager", "auditor", "kiosk"):
        await surveys.call("POST", BASE, role, json=body, expect=403)
    await surveys.call("GET", BASE, "teller", expect=403)
    await surveys.published()
    actions = [row.action for row in await surveys.rows(sa.select(audit_row.c.action).order_by(audit_row.c.seq))]
    assert actions == ["questionnaire.drafted", "questionnaire.published"]
