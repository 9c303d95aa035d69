"""What races or upserts, on PostgreSQL: numbering, the one invitation, the one response, and scores over a subtree."""

import asyncio
from collections import Counter

from services.surveys.invitations import service
from shared.contracts.queue import Channel, VisitCompleted, VisitStatus
from shared.contracts.surveys import InvitationSent, ResponseSubmitted

GOOD = {"quality": 5, "efficiency": 4, "attitude": 5}


async def test_races_are_decided_once(surveys_on_postgres):
    surveys = surveys_on_postgres
    drafts = {"code": "draft", "items": [{"code": "q", "dimension": "quality", "texts": {"zh": "?", "en": "?"}}]}
    made = await asyncio.gather(
        *(surveys.call("POST", "/surveys/v1/questionnaires", "head_office", json=drafts, expect=201) for _ in range(8))
    )
    assert sorted(answer.json()["version"] for answer in made) == list(range(1, 9))
    await surveys.published()

    at = surveys.clock.now()
    visit = VisitCompleted(
        visit="v0", unit="gz_1", business_date=at.date(), number="A1", service="cash", ticket_class="vip",
        channel=Channel.APP, status=VisitStatus.SERVED, issued_at=at,
    )  # fmt: skip
    invited = await asyncio.gather(
        *(surveys.runtime.db.write(lambda uow: service.invite(uow, visit, at), actor="test") for _ in range(10))
    )
    assert sorted(invited) == [False] * 9 + [True]
    token = await surveys.token("v0")
    answers = await asyncio.gather(*(surveys.answer(token, GOOD) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert len(await surveys.told(InvitationSent)) == len(await surveys.told(ResponseSubmitted)) == 1


async def test_the_road_from_visit_to_score(surveys_on_postgres):
    surveys = surveys_on_postgres
    surveys.peer.answers = {"v0": {"left": True}}
    await surveys.complete("v0")
    await surveys.published()
    for number in range(1, 6):
        await surveys.complete(f"v{number}", "gzX1" if number == 5 else "gz_1")
    await surveys.running.settle()
    assert Counter(row.delivery for row in await surveys.rows()) == {"slip": 5, "contact": 1}
    for number in range(6):
        assert (await surveys.answer(await surveys.token(f"v{number}"), GOOD)).status_code == 201
    query = {"from": "2026-03-02", "to": "2026-03-02"}
    for unit, n in (("gd", 6), ("gz_1", 5), ("gzX1", None)):
        found = await surveys.call("GET", "/surveys/v1/scores", "auditor", params={"unit": unit} | query, expect=200)
        assert found.json()["items"][-1]["n"] == n
