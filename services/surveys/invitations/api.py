"""Routes of invitations."""

from datetime import UTC, datetime

from services.surveys.auth import (
    HANDS_OUT_LINKS,
    LinkHolder,
    Links,
    ReadInvitationRules,
    ReadInvitations,
    WriteInvitationRules,
)
from services.surveys.invitations import queries, rules, service
from services.surveys.invitations.links import token_of
from services.surveys.invitations.rules import Delivery
from services.surveys.invitations.schemas import (
    AskedQuestionnaire,
    Invitation,
    InvitationRuleRequest,
    InvitationRuleView,
    InvitationView,
    TicketInvitation,
)
from services.surveys.invitations.tickets import BehindTicket, invitation_of
from services.surveys.questionnaires import queries as questionnaires
from services.surveys.questionnaires.schemas import SurveyItem
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.security.scopes import public
from shared.web.fields import LinkToken, PathId
from shared.web.paging import Page, Paging, page
from shared.web.problems import InvalidField, NotFound
from shared.web.routing import ServiceRouter

router = ServiceRouter("surveys", "invitations")

BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


@router.get("/invitations/{token}", dependencies=[public("the link is the customer's only key")])
async def get_invitation(reads: Reads, holder: LinkHolder, links: Links, token: LinkToken) -> InvitationView:
    """The questions behind a link, and whether they can still be answered; an unknown link is 404."""
    row = await service.by_token_hash(reads, links.token_hash(token))
    return await _view(reads, row)


@router.get("/tickets/{token}/invitation", dependencies=[public("the holder of the ticket's link rates the visit")])
async def get_ticket_invitation(reads: Reads, links: Links, ticket: BehindTicket) -> TicketInvitation:
    """The invitation of the visit whose ticket the customer shows (凭号票评价); the path's token is the ticket's."""
    row = await invitation_of(reads, ticket)
    return TicketInvitation(**dict(await _view(reads, row)), token=token_of(links, row.id))


@router.get("/visits/{visit}/invitation")
async def get_visit_invitation(reads: Reads, caller: ReadInvitations, links: Links, visit: PathId) -> Invitation:
    """The invitation of a visit in the caller's units; 404 until the system has sent one."""
    row = await reads.one(queries.BY_VISIT, visit=visit)
    if row is None:
        raise NotFound()
    await replica.branch(reads, caller, row.unit)
    return Invitation(
        **dict(await _view(reads, row)),
        id=row.id,
        visit=row.visit,
        token=token_of(links, row.id) if caller.roles & HANDS_OUT_LINKS else None,
        invited_at=row.invited_at,
        delivery=Delivery(row.delivery),
    )


@router.post("/invitation-rules", status_code=201)
async def plan_invitation_rule(
    uow: Uow, actor: WriteInvitationRules, command: InvitationRuleRequest
) -> InvitationRuleView:
    """Plan how long invitations stay open and what they ask, from an instant that is not past."""
    return InvitationRuleView(**await service.plan_rule(uow, command))


@router.get("/invitation-rules")
async def list_invitation_rules(reads: Reads, actor: ReadInvitationRules, asked: Paging) -> Page[InvitationRuleView]:
    """Every rule that ever held or will, by the date from which it does."""
    try:
        after = datetime.fromisoformat(asked.after).astimezone(UTC) if asked.after else BEFORE_ALL
    except (ValueError, OverflowError):
        raise InvalidField("/query/cursor", "invalid_cursor", "The cursor is not one of ours", "游标无效") from None
    rows = await reads.all(queries.RULES, after=after, limit=asked.fetch)
    return Page[InvitationRuleView](**page(asked, rows, lambda row: row.effective_from.isoformat(), _rule))


def _rule(row: Row) -> InvitationRuleView:
    return InvitationRuleView(**row._asdict())


async def _view(reads: Reads, row: Row) -> InvitationView:
    items = await reads.all(questionnaires.ITEMS, code=row.questionnaire, version=row.questionnaire_version)
    asked = AskedQuestionnaire(
        code=row.questionnaire, version=row.questionnaire_version, items=[SurveyItem.of(item) for item in items]
    )
    return InvitationView(
        status=rules.state_at(row.state, row.expires_at, reads.now), expires_at=row.expires_at, questionnaire=asked
    )
