"""Every SELECT on invitations."""

import sqlalchemy as sa

from services.surveys.invitations.models import Invitation, InvitationRule
from services.surveys.invitations.rules import Delivery, InvitationStatus
from shared.db.statements import table

_p = sa.bindparam
_invitation = table(Invitation)
_rule = table(InvitationRule)

PENDING = sa.or_(
    _invitation.c.state == InvitationStatus.OPEN.value, _invitation.c.state == InvitationStatus.WAITING.value
)
"""The invitation can still be answered, or will be."""

RULE = sa.select(_rule).where(_rule.c.effective_from <= _p("at")).order_by(_rule.c.effective_from.desc()).limit(1)
"""The rule in force at an instant."""

RULES = sa.select(_rule).where(_rule.c.effective_from > _p("after")).order_by(_rule.c.effective_from).limit(_p("limit"))
"""A page of all rules, by the date from which they hold."""

BY_TOKEN = sa.select(_invitation).where(
    _invitation.c.token_hash == _p("token_hash"), _invitation.c.invited_at.is_not(None)
)
"""The invitation behind a link; one that was never sent has none."""

BY_VISIT = sa.select(_invitation).where(_invitation.c.visit == _p("visit"), _invitation.c.invited_at.is_not(None))
"""The invitation of a visit, once it was made."""

WAITING = (
    sa.select(_invitation)
    .where(_invitation.c.state == InvitationStatus.WAITING.value, _invitation.c.expires_at >= _p("at"))
    .order_by(_invitation.c.expires_at)
    .limit(_p("limit", type_=sa.Integer))
)
"""Invitations that can be sent as soon as a questionnaire is in force."""

OVERDUE = (
    sa.select(_invitation.c.id)
    .where(PENDING, _invitation.c.expires_at < _p("at"))
    .order_by(_invitation.c.expires_at)
    .limit(_p("limit", type_=sa.Integer))
)
"""Invitations whose last instant is past."""

UNASKED = (
    sa.select(_invitation.c.id, _invitation.c.visit, _invitation.c.contact_tries)
    .where(
        _invitation.c.delivery == Delivery.UNKNOWN.value,
        _invitation.c.contact_next_try <= _p("at"),
        _invitation.c.state == InvitationStatus.OPEN.value,
    )
    .order_by(_invitation.c.contact_next_try)
    .limit(_p("limit", type_=sa.Integer))
)
"""Open invitations of which nobody knows yet whether the customer left a contact."""
