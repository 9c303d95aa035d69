"""Completed visits of the bus become invitations: each once, history never."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.surveys.invitations import service
from shared.contracts.queue import Channel, VisitCompleted, VisitStatus
from shared.contracts.surveys import InvitationSent
from shared.db.tables import inbox


@pytest.mark.guide("1.3c")
async def test_a_visit_told_again_has_one_invitation(surveys, invitation_of):
    await surveys.published()
    await surveys.complete(event_id="e1")
    await surveys.complete(event_id="e1")
    await surveys.complete(event_id="e2", sequence=2)
    surveys.clock.advance(timedelta(hours=30))
    await surveys.complete(event_id="e3", at=surveys.clock.now() - timedelta(hours=30))
    # A replay after the inbox was emptied finds the row, not the inbox, in its way.
    await surveys.runtime.db.write(lambda uow: uow.execute(sa.delete(inbox)), actor="test")
    await surveys.complete(event_id="e1")
    assert [(row.id, row.visit) for row in await surveys.rows()] == [(invitation_of("v1"), "v1")]
    told = await surveys.told(InvitationSent)
    assert [(event.invitation, event.visit, event.questionnaire_version) for event in told] == [
        (invitation_of("v1"), "v1", 1)
    ]
    seen = await surveys.call("GET", "/surveys/v1/visits/v1/invitation", "kiosk", units=["gz_1"], expect=200)
    assert (seen.json()["id"], seen.json()["status"]) == (invitation_of("v1"), "open")


async def test_parallel_units_for_one_visit_make_one_invitation(surveys):
    await surveys.published()
    at = surveys.clock.now()
    visit = VisitCompleted(
        visit="v1", unit="gz_1", business_date=at.date(), number="A1", service="cash", ticket_class="vip",
        channel=Channel.APP, status=VisitStatus.SERVED, issued_at=at,
    )  # fmt: skip
    made = await asyncio.gather(
        *(surveys.runtime.db.write(lambda uow: service.invite(uow, visit, at), actor="test") for _ in range(10))
    )
    assert sorted(made) == [False] * 9 + [True]
    assert len(await surveys.told(InvitationSent)) == 1


@pytest.mark.parametrize(("origin", "age"), [("import", timedelta(0)), ("live", timedelta(days=3))])
async def test_history_is_never_invited(surveys, origin, age):
    await surveys.published()
    await surveys.complete(origin=origin, at=surveys.clock.now() - age)
    assert await surveys.rows() == []
    assert await surveys.told(InvitationSent) == []
    await surveys.call("GET", "/surveys/v1/visits/v1/invitation", "kiosk", expect=404)


async def test_a_visit_without_a_questionnaire_waits_and_is_invited_later(surveys):
    await surveys.complete("v1")
    [waiting] = await surveys.rows()
    assert (waiting.state, waiting.reason, waiting.invited_at) == ("waiting_questionnaire", "no_questionnaire", None)
    await surveys.call("GET", "/surveys/v1/visits/v1/invitation", "kiosk", expect=404)
    assert await surveys.told(InvitationSent) == []
    surveys.clock.advance(timedelta(days=2))
    await surveys.published()
    await surveys.running.settle()
    [opened] = await surveys.rows()
    assert (opened.state, opened.reason, opened.invited_at) == ("open", None, surveys.clock.now())
    assert opened.expires_at == surveys.clock.now() + timedelta(days=7)
    [told] = await surveys.told(InvitationSent)
    assert (told.visit, told.business_date, told.invited_at) == ("v1", waiting.business_date, surveys.clock.now())
    await surveys.running.settle()
    assert len(await surveys.told(InvitationSent)) == 1


async def test_a_visit_that_waited_too_long_keeps_its_reason(surveys):
    await surveys.complete("v1")
    surveys.clock.advance(timedelta(days=7, seconds=1))
    await surveys.published()
    await surveys.running.settle()
    [row] = await surveys.rows()
    assert (row.state, row.reason) == ("expired", "no_questionnaire")
    assert await surveys.told(InvitationSent) == []


async def test_the_token_itself_is_stored_nowhere(surveys):
    await surveys.published()
    await surveys.complete()
    token = await surveys.token()
    [row] = await surveys.rows()
    assert len(token) == 22
    assert token not in str(row)
    folder = surveys.runtime.settings.data
    assert not [path for path in folder.iterdir() if path.is_file() and token.encode() in path.read_bytes()]
