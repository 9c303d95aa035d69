"""Invitation rules by HTTP: planned ahead, in force from their date, never changed afterwards."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.security.audit_models import audit_row

RULES = "/surveys/v1/invitation-rules"


async def rules(surveys):
    return (await surveys.call("GET", RULES, "auditor", expect=200)).json()["items"]


async def test_a_rule_holds_for_invitations_made_from_its_date_on(surveys):
    await surveys.published()
    begins = surveys.clock.now() + timedelta(hours=1)
    body = {"effective_from": begins.isoformat(), "valid_days": 2}
    planned = await surveys.call("POST", RULES, "head_office", json=body, expect=201)
    assert planned.json()["valid_days"] == 2
    await surveys.complete("v1")
    surveys.clock.advance(timedelta(hours=1))
    await surveys.complete("v2")
    lasting = [row.expires_at - row.invited_at for row in await surveys.rows()]
    assert lasting == [timedelta(days=7), timedelta(days=2)]
    assert [rule["valid_days"] for rule in await rules(surveys)] == [7, 2]
    written = await surveys.rows(sa.select(audit_row).where(audit_row.c.action == "invitation_rule.planned"))
    assert [(row.object_id, json.loads(row.detail)["valid_days"]) for row in written] == [(begins.isoformat(), 2)]


async def test_a_rule_without_a_date_holds_at_once_and_asks_the_questionnaire_it_names(surveys):
    await surveys.published("visit")
    await surveys.published("short")
    body = {"valid_days": 1, "questionnaire": "visit"}
    await surveys.call("POST", RULES, "head_office", json=body, expect=201)
    await surveys.complete("v1")
    assert [row.questionnaire for row in await surveys.rows()] == ["visit"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"valid_days": 0}, "/valid_days", "greater_than_equal"),
        ({"valid_days": 367}, "/valid_days", "less_than_equal"),
        ({"valid_days": 7, "effective_from": "2026-03-01T00:00:00Z"}, "/effective_from", "in_the_past"),
        ({"valid_days": 7, "effective_from": "2399-01-01T00:00:00Z"}, "/effective_from", "too_far_ahead"),
        ({"valid_days": 7, "questionnaire": "none"}, "/questionnaire", "unknown"),
    ],
)
async def test_a_wrong_rule_is_refused_by_field_and_changes_nothing(surveys, body, pointer, code):
    before = await rules(surveys)
    refused = await surveys.call("POST", RULES, "head_office", json=body, expect=422)
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [(pointer, code)]
    assert await rules(surveys) == before


async def test_of_two_rules_for_one_instant_the_second_is_refused(surveys):
    body = {"effective_from": "2026-04-01T00:00:00Z", "valid_days": 3}
    await surveys.call("POST", RULES, "head_office", json=body, expect=201)
    refused = await surveys.call("POST", RULES, "head_office", json=body | {"valid_days": 4}, expect=422)
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/effective_from", "taken")]
    assert [rule["valid_days"] for rule in await rules(surveys)] == [7, 3]


async def test_rules_come_in_pages_and_only_head_office_plans_them(surveys):
    await surveys.call("POST", RULES, "head_office", json={"valid_days": 3}, expect=201)
    first = (await surveys.call("GET", f"{RULES}?limit=1", "branch_manager", expect=200)).json()
    second = (await surveys.call("GET", f"{RULES}?limit=1&cursor={first['next']}", "auditor", expect=200)).json()
    assert ([rule["valid_days"] for rule in first["items"] + second["items"]], second["next"]) == ([7, 3], None)
    await surveys.call("GET", f"{RULES}?cursor=Ilg", "auditor", expect=422)
    await surveys.call("POST", RULES, "branch_manager", json={"valid_days": 3}, expect=403)
