"""Use case of responses: the one response to an invitation is stored and told in one transaction."""

from collections.abc import Mapping

from services.surveys.invitations import service as invitations
from services.surveys.questionnaires import queries as questionnaires
from services.surveys.refusals import refuse
from services.surveys.responses import rules
from services.surveys.responses.models import Response, ResponseAnswer
from shared.contracts.surveys import Answer, Dimension, ResponseSubmitted
from shared.db.statements import insert, table
from shared.db.uow import Uow

_ADD = insert(table(Response))
_ADD_ANSWER = insert(table(ResponseAnswer))


async def submit(uow: Uow, token_hash: str, answers: Mapping[str, int]) -> None:
    """Store the answers of the invitation behind a link and tell them.

    404 unknown link, 409 ``already_answered``, 410 ``invitation_expired``, 422 with every unfit answer named.
    Of several responses at once one is kept, as :func:`invitations.answer` lets only one pass.
    """
    row = await invitations.by_token_hash(uow, token_hash)
    invitations.refuse_unless_open(row, uow.now)
    items = await uow.all(questionnaires.ITEMS, code=row.questionnaire, version=row.questionnaire_version)
    refuse(rules.faults_of(items, answers))
    await invitations.answer(uow, row)
    given = [
        Answer(
            item=item.item,
            dimension=Dimension(item.dimension),
            score=answers[item.item],
            scale_min=item.scale_min,
            scale_max=item.scale_max,
        )
        for item in items
        if item.item in answers
    ]
    await uow.write(
        _ADD,
        invitation=row.id,
        unit=row.unit,
        business_date=row.business_date,
        service=row.service,
        ticket_class=row.ticket_class,
        submitted_at=uow.now,
    )
    await uow.many(_ADD_ANSWER, [{"invitation": row.id, **answer.model_dump(mode="json")} for answer in given])
    told = ResponseSubmitted(
        **invitations.event_fields(row.id, row._asdict()), responded_at=uow.now, answers=tuple(given)
    )
    await uow.emit(told, subject=row.id)
