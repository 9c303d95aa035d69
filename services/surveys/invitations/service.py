"""Use cases of invitations: made once per visit, opened, answered, expired."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.surveys.faults import Fault
from services.surveys.invitations import queries, rules
from services.surveys.invitations.errors import AlreadyAnswered, InvitationExpired
from services.surveys.invitations.links import stored_hash
from services.surveys.invitations.models import Invitation, InvitationRule
from services.surveys.invitations.rules import Delivery, InvitationStatus
from services.surveys.invitations.schemas import InvitationRuleRequest
from services.surveys.questionnaires import service as questionnaires
from services.surveys.questionnaires.rules import effective_fault
from services.surveys.refusals import refuse
from shared.contracts.queue import VisitCompleted
from shared.contracts.surveys import InvitationSent
from shared.db.statements import Row, table, upsert
from shared.db.uow import Reads, Uow
from shared.ids import uuid5
from shared.web.problems import IllegalTransition, NotFound

_p = sa.bindparam
_invitation = table(Invitation)
_one = sa.update(_invitation).where(_invitation.c.id == _p("of_id"))

_PLAN = upsert(table(InvitationRule), ["effective_from"], None).returning(table(InvitationRule).c.effective_from)

# A second one may meet the visit's or the token's uniqueness before the id's.
_CREATE = upsert(_invitation, [], None).returning(_invitation.c.id)
_OPEN = _one.where(_invitation.c.state == InvitationStatus.WAITING.value).values(
    state=InvitationStatus.OPEN.value,
    reason=None,
    questionnaire=_p("code"),
    questionnaire_version=_p("version"),
    invited_at=_p("at"),
    expires_at=_p("until"),
)
_ANSWER = _one.where(_invitation.c.state == InvitationStatus.OPEN.value, _invitation.c.expires_at >= _p("at")).values(
    state=InvitationStatus.ANSWERED.value, answered_at=_p("at")
)
_EXPIRE = _one.where(queries.PENDING, _invitation.c.expires_at < _p("at")).values(state=InvitationStatus.EXPIRED.value)

EVENT_FIELDS = ("visit", "unit", "business_date", "service", "ticket_class", "questionnaire", "questionnaire_version",
                "invited_at")  # fmt: skip


async def invite(uow: Uow, visit: VisitCompleted, completed_at: datetime) -> bool:
    """INVARIANT: a visit has at most one invitation, however often its completion is told.

    The id is derived from the visit and both are unique, so a second event, a replay or another worker inserts
    nothing (proven by test_a_visit_told_again_has_one_invitation). Returns whether an invitation was made. Without a
    questionnaire in force the row waits with its reason, and :func:`open_waiting` sends it later: no visit is lost.
    """
    identifier = uuid5("invitation", visit.visit)
    rule = await _rule(uow)
    version = await questionnaires.in_force(uow, rule.questionnaire, uow.now)
    row: dict[str, Any] = {
        "id": identifier,
        "visit": visit.visit,
        "unit": visit.unit,
        "business_date": visit.business_date,
        "service": visit.service,
        "ticket_class": visit.ticket_class,
        "window": visit.window,
        "staff": visit.staff,
        "staff_external": visit.staff_external,
        "completed_at": completed_at,
        "state": (InvitationStatus.OPEN if version else InvitationStatus.WAITING).value,
        "reason": None if version else rules.NO_QUESTIONNAIRE,
        "token_hash": stored_hash(uow, identifier),
        "questionnaire": version.code if version else None,
        "questionnaire_version": version.version if version else None,
        "created_at": uow.now,
        "invited_at": uow.now if version else None,
        "expires_at": rules.expiry(uow.now if version else completed_at, rule.valid_days),
        "answered_at": None,
        "delivery": Delivery.UNKNOWN.value,
        "contact_tries": 0,
        "contact_next_try": uow.now,
    }
    if await uow.one(_CREATE, **row) is None:
        return False
    if version:
        await _tell(uow, identifier, row)
    return True


async def open_waiting(uow: Uow, limit: int) -> int:
    """Send up to ``limit`` invitations that waited for a questionnaire; returns how many."""
    rule = await _rule(uow)
    version = await questionnaires.in_force(uow, rule.questionnaire, uow.now)
    if version is None:
        return 0
    opened = 0
    for row in await uow.all(queries.WAITING, at=uow.now, limit=limit):
        until = rules.expiry(uow.now, rule.valid_days)
        change = {"code": version.code, "version": version.version, "at": uow.now, "until": until}
        if not await uow.execute(_OPEN, of_id=row.id, **change):
            continue
        sent = {"questionnaire": version.code, "questionnaire_version": version.version, "invited_at": uow.now}
        await _tell(uow, row.id, row._asdict() | sent)
        opened += 1
    return opened


async def expire(uow: Uow, limit: int) -> int:
    """Mark up to ``limit`` invitations whose last instant is past; returns how many."""
    rows = await uow.all(queries.OVERDUE, at=uow.now, limit=limit)
    await uow.many(_EXPIRE, [{"of_id": row.id, "at": uow.now} for row in rows])
    return len(rows)


async def plan_rule(uow: Uow, command: InvitationRuleRequest) -> dict[str, Any]:
    """Plan how invitations are made from an instant on; what a rule was when it held never changes."""
    start = command.effective_from or uow.now
    refuse([fault] if (fault := effective_fault(start, uow.now)) else [])
    if command.questionnaire is not None and not await questionnaires.exists(uow, command.questionnaire):
        refuse([Fault("/questionnaire", "unknown", "No questionnaire has this code")])
    rule = {"effective_from": start, "valid_days": command.valid_days, "questionnaire": command.questionnaire}
    if await uow.one(_PLAN, **rule) is None:
        refuse([Fault("/effective_from", "taken", "Another rule begins at this instant")])
    detail = {"valid_days": command.valid_days, "questionnaire": command.questionnaire}
    await uow.audit(
        "invitation_rule.planned", object_type="invitation_rule", object_id=start.isoformat(), detail=detail
    )
    return rule


async def by_token_hash(reads: Reads, token_hash: str) -> Row:
    """The invitation behind a link, or 404."""
    row = await reads.one(queries.BY_TOKEN, token_hash=token_hash)
    if row is None:
        raise NotFound()
    return row


def refuse_unless_open(row: Row, at: datetime) -> None:
    """Refuse an answer to an invitation that is answered (409) or expired (410)."""
    state = rules.state_at(row.state, row.expires_at, at)
    if state is InvitationStatus.ANSWERED:
        raise AlreadyAnswered()
    if state is InvitationStatus.EXPIRED:
        raise InvitationExpired()
    if state is not InvitationStatus.OPEN:
        raise IllegalTransition(state=state.value, allowed=())


async def answer(uow: Uow, row: Row) -> None:
    """Close the invitation by its one answer; of several at once, one passes and the others get 409."""
    if not await uow.execute(_ANSWER, of_id=row.id, at=uow.now):
        refuse_unless_open(await by_token_hash(uow, row.token_hash), uow.now)
        raise AlreadyAnswered()


def event_fields(identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What every event of the invitation tells."""
    return {"invitation": identifier} | {name: row[name] for name in EVENT_FIELDS}


async def _rule(reads: Reads) -> Row:
    rule = await reads.one(queries.RULE, at=reads.now)
    if rule is None:
        raise LookupError("no invitation rule is in force")
    return rule


async def _tell(uow: Uow, identifier: str, row: Mapping[str, Any]) -> None:
    await uow.emit(InvitationSent(**event_fields(identifier, row)), subject=identifier)
