"""The claim check: whether a contact exists is learnt from queue, outside any unit of work."""

from datetime import timedelta

from shared.web.client import PeerUnavailable


async def delivery(surveys):
    return {row.visit: row.delivery for row in await surveys.rows()}


async def test_queue_is_asked_once_for_each_visit(surveys):
    await surveys.published()
    surveys.peer.answers = {"v1": {"left": True}, "v2": {"left": False}}
    for visit in ("v1", "v2", "v3"):
        await surveys.complete(visit)
    assert await delivery(surveys) == {"v1": "contact", "v2": "slip", "v3": "slip"}
    await surveys.running.settle()
    assert sorted(surveys.peer.asked) == [(f"/queue/v1/visits/v{n}/contact", "survey_invitation") for n in (1, 2, 3)]


async def test_a_queue_that_is_down_is_asked_again_later_and_later(surveys):
    await surveys.published()
    surveys.peer.answers = {"v1": PeerUnavailable("queue")}
    await surveys.complete("v1")
    [row] = await surveys.rows()
    assert (row.delivery, row.contact_tries) == ("unknown", 1)
    assert row.contact_next_try == surveys.clock.now() + timedelta(seconds=5)
    await surveys.running.settle()
    assert len(surveys.peer.asked) == 1
    surveys.clock.advance(timedelta(seconds=5))
    await surveys.running.settle()
    [row] = await surveys.rows()
    assert (row.contact_tries, row.contact_next_try) == (2, surveys.clock.now() + timedelta(seconds=10))
    surveys.peer.answers = {"v1": {"left": True}}
    surveys.clock.advance(timedelta(seconds=10))
    await surveys.running.settle()
    assert await delivery(surveys) == {"v1": "contact"}


async def test_one_visit_without_an_answer_holds_up_no_other(surveys):
    surveys.peer.answers = {"v1": PeerUnavailable("queue"), "v2": {"left": True}}
    for visit in ("v1", "v2"):
        await surveys.complete(visit)
    await surveys.published()
    await surveys.running.settle()
    await surveys.running.settle()
    assert await delivery(surveys) == {"v1": "unknown", "v2": "contact"}
