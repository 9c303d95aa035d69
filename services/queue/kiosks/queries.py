"""Every SELECT and write of the kiosks."""

import sqlalchemy as sa

from services.queue.kiosks.models import HelpCall, KioskAction, Lease
from shared.db.statements import insert, table
from shared.db.types import any_of

_lease, _action, _help = table(Lease), table(KioskAction), table(HelpCall)
_p = sa.bindparam

ADD_LEASE = insert(_lease)
LEASES = sa.select(_lease).where(any_of(_lease.c.id, "leases"))
ADD_ACTION = insert(_action)
ACTIONS = sa.select(_action.c.id, _action.c.result, _action.c.reason, _action.c.visit).where(
    any_of(_action.c.id, "actions")
)
ADD_HELP = insert(_help)
HELP = sa.select(_help).where(_help.c.id == _p("call")).with_for_update()
OPEN_HELP = (
    sa.select(_help)
    .where(_help.c.unit == _p("unit"), _help.c.answered_at.is_(None), _help.c.id > _p("after"))
    .order_by(_help.c.id)
    .limit(_p("most", type_=sa.Integer))
)
WAITING_HELP = (
    sa.select(_help.c.id)
    .where(_help.c.unit == _p("unit"), _help.c.device == _p("device"), _help.c.answered_at.is_(None))
    .where(_help.c.asked_at > _p("since"))
    .limit(sa.literal_column("1"))
)
"""Whether somebody at this kiosk has called and nobody has answered."""
HELP_SINCE = (
    sa.select(_help)
    .where(_help.c.unit == _p("unit"), _help.c.asked_at > _p("since"))
    .order_by(_help.c.asked_at.desc(), _help.c.id.desc())
    .limit(sa.literal_column("50"))
)
"""The latest calls of a branch, answered or not."""
ANSWER_HELP = (
    sa.update(_help)
    .where(_help.c.id == _p("call"), _help.c.answered_at.is_(None))
    .values(answered_at=_p("at"), answered_by=_p("by"))
)
