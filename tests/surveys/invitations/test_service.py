"""The rule for invitations is data with an effective date."""

from datetime import timedelta

from services.surveys.invitations.models import InvitationRule
from shared.db.statements import insert, table

ADD_RULE = insert(table(InvitationRule))


async def test_the_rule_in_force_says_how_long_and_which_questionnaire(surveys):
    await surveys.published(code="counter")
    surveys.clock.advance(timedelta(seconds=1))
    await surveys.published(code="visit")
    tomorrow = surveys.clock.now() + timedelta(days=1)
    rule = {"effective_from": tomorrow, "valid_days": 3, "questionnaire": "counter"}
    await surveys.runtime.db.write(lambda uow: uow.execute(ADD_RULE, **rule), actor="test")
    await surveys.complete("v1")
    surveys.clock.set(tomorrow)
    await surveys.complete("v2")
    first, second = await surveys.rows()
    assert (second.questionnaire, second.expires_at) == ("counter", tomorrow + timedelta(days=3))
    assert (first.questionnaire, first.expires_at - first.invited_at) == ("visit", timedelta(days=7))


async def test_of_two_questionnaires_the_one_that_began_last_is_asked(surveys):
    await surveys.published(code="b")
    surveys.clock.advance(timedelta(seconds=1))
    await surveys.published(code="a")
    surveys.clock.advance(timedelta(seconds=1))
    await surveys.published(code="c", effective_from=(surveys.clock.now() + timedelta(hours=1)).isoformat())
    await surveys.complete("v1")
    surveys.clock.advance(timedelta(hours=1))
    await surveys.complete("v2")
    assert [row.questionnaire for row in await surveys.rows()] == ["a", "c"]
