"""Responses by HTTP: once per link, each score on its scale."""

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from shared.contracts.surveys import ResponseSubmitted

GOOD = {"quality": 5, "efficiency": 4, "attitude": 5}


@pytest.fixture
async def link(surveys):
    optional = {"code": "extra", "dimension": "convenience", "texts": {"zh": "?", "en": "?"}, "required": False}
    required = [
        {"code": name, "dimension": name, "texts": {"zh": "?", "en": "?"}}
        for name in ("quality", "efficiency", "attitude")
    ]
    await surveys.published(items=[*required, optional | {"scale_min": 0, "scale_max": 10}])
    await surveys.complete()
    return await surveys.token()


async def test_an_answer_is_kept_and_told_whole(surveys, link, invitation_of):
    surveys.clock.advance(timedelta(hours=2))
    kept = await surveys.answer(link, GOOD)
    assert (kept.status_code, kept.json()) == (201, {"status": "answered"})
    [told] = await surveys.told(ResponseSubmitted)
    assert (told.invitation, told.visit, told.unit, told.service) == (invitation_of("v1"), "v1", "gz_1", "cash")
    assert (str(told.business_date), told.responded_at) == ("2026-03-02", surveys.clock.now())
    assert {answer.item: answer.score for answer in told.answers} == GOOD
    assert {answer.dimension.value for answer in told.answers} == set(GOOD)
    assert (await surveys.client.get(f"/surveys/v1/invitations/{link}")).json()["status"] == "answered"


@pytest.mark.guide("1.3c")
async def test_of_ten_parallel_responses_one_is_kept(surveys, link):
    answers = await asyncio.gather(*(surveys.answer(link, GOOD | {"quality": 1 + n % 5}) for n in range(10)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_answered"}
    assert len(await surveys.told(ResponseSubmitted)) == 1


async def test_the_same_key_repeats_the_reply_and_another_customers_key_is_independent(surveys, link):
    await surveys.complete("v2")
    other = await surveys.token("v2")
    sent = [await surveys.answer(link, GOOD, **{"idempotency-key": "k1"}) for _ in range(3)]
    assert {(answer.status_code, answer.content) for answer in sent} == {(201, sent[0].content)}
    changed = await surveys.answer(link, GOOD | {"quality": 1}, **{"idempotency-key": "k1"})
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    assert (await surveys.answer(other, GOOD, **{"idempotency-key": "k1"})).status_code == 201
    assert (await surveys.answer(link, GOOD, **{"idempotency-key": "k2"})).status_code == 409


@pytest.mark.parametrize(
    ("answers", "pointer"),
    [
        (GOOD | {"charm": 5}, "/answers/charm"),
        (GOOD | {"quality": 6}, "/answers/quality"),
        (GOOD | {"quality": 0}, "/answers/quality"),
        (GOOD | {"extra": 11}, "/answers/extra"),
        ({"quality": 5, "efficiency": 5}, "/answers/attitude"),
        (GOOD | {"quality": True}, "/answers/quality"),
        (GOOD | {"quality": 4.0}, "/answers/quality"),
        (GOOD | {"quality": "5"}, "/answers/quality"),
        (GOOD | {"quality": None}, "/answers/quality"),
        (GOOD | {"quality": 10**40}, "/answers/quality"),
        ({}, "/answers"),
        ([5, 5, 5], "/answers"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_where_it_stands(surveys, link, answers, pointer):
    refused = await surveys.answer(link, answers)
    assert refused.status_code == 422, refused.text
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
    assert await surveys.told(ResponseSubmitted) == []
    assert (await surveys.answer(link, GOOD | {"extra": 0})).status_code == 201


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"answers": {"quality": ' + b"9" * 5000 + b"}}", b"[" * 5000, json.dumps(GOOD).encode()],
)
async def test_a_body_that_is_no_response_is_a_clear_4xx(surveys, link, body):
    path = f"/surveys/v1/invitations/{link}/response"
    refused = await surveys.client.post(path, content=body, headers={"content-type": "application/json"})
    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"


async def test_an_expired_invitation_is_gone(surveys, link):
    surveys.clock.advance(timedelta(days=7, microseconds=1))
    for _ in ("before the loop", "after it"):
        gone = await surveys.answer(link, GOOD)
        assert (gone.status_code, gone.json()["code"]) == (410, "invitation_expired")
        await surveys.running.settle()


async def test_an_unknown_link_is_404(surveys, link):
    assert (await surveys.answer("A" * 22, GOOD)).status_code == 404
