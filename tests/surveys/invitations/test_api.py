"""Invitations by HTTP: what the holder of a link, devices and staff see."""

from datetime import timedelta

import pytest

VISIT = "/surveys/v1/visits/v1/invitation"


@pytest.fixture
async def invited(surveys):
    await surveys.published()
    await surveys.complete()
    return surveys


async def test_the_link_shows_the_questions_and_nothing_about_anybody(invited):
    seen = await invited.client.get(f"/surveys/v1/invitations/{await invited.token()}")
    assert seen.status_code == 200
    body = seen.json()
    assert set(body) == {"status", "expires_at", "questionnaire"}
    assert body["status"] == "open"
    asked = body["questionnaire"]
    assert (asked["code"], asked["version"]) == ("visit", 1)
    assert [item["code"] for item in asked["items"]] == ["quality", "efficiency", "attitude"]
    assert asked["items"][0] == {
        "code": "quality", "dimension": "quality", "texts": {"zh": "quality?", "en": "quality?"},
        "scale_min": 1, "scale_max": 5, "required": True,
    }  # fmt: skip
    assert all(word not in seen.text for word in ("gz_1", "T1", "v1"))


@pytest.mark.parametrize("token", ["A" * 22, "-" * 22, "_" * 21 + "9"])
async def test_an_unknown_link_is_404(invited, token):
    answer = await invited.client.get(f"/surveys/v1/invitations/{token}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("token", ["short", "A" * 23, "é" * 22])
async def test_what_cannot_be_a_link_is_refused(invited, token):
    assert (await invited.client.get(f"/surveys/v1/invitations/{token}")).status_code in (404, 422)


async def test_an_expired_link_says_so_before_any_loop_ran(invited):
    token = await invited.token()
    invited.clock.advance(timedelta(days=7))
    assert (await invited.client.get(f"/surveys/v1/invitations/{token}")).json()["status"] == "open"
    invited.clock.advance(timedelta(seconds=1))
    assert (await invited.client.get(f"/surveys/v1/invitations/{token}")).json()["status"] == "expired"
    await invited.running.settle()
    assert [row.state for row in await invited.rows()] == ["expired"]


@pytest.mark.guide("1.2e")
async def test_the_link_goes_to_who_carries_it_never_to_who_is_rated(invited):
    for role in ("kiosk", "app", "integration"):
        assert len((await invited.call("GET", VISIT, role, expect=200)).json()["token"]) == 22
    for role in ("teller", "branch_manager"):
        seen = (await invited.call("GET", VISIT, role, staff="T1", units=["gz_1"], expect=200)).json()
        assert (seen["token"], seen["status"]) == (None, "open")
    for role in ("auditor", "operator", "head_office"):
        await invited.call("GET", VISIT, role, expect=403)


async def test_another_units_visit_is_404(invited):
    await invited.call("GET", VISIT, "kiosk", units=["gzX1"], expect=404)
    await invited.call("GET", VISIT, "kiosk", units=["gd"], expect=200)


async def test_the_version_asked_is_the_one_in_force_at_the_invitation(invited):
    await invited.published()
    await invited.complete("v2")
    versions = [row.questionnaire_version for row in await invited.rows()]
    assert versions == [1, 2]
