"""Deciding a policy, and showing what was decided when (政策版本)."""

from typing import Any, Final

import sqlalchemy as sa

from shared.db.statements import Row, upsert
from shared.db.tables import policy
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.ids import uuid7
from shared.policies.beginning import misdated
from shared.policies.kinds import B
from shared.policies.schemas import PolicyRequest, PolicyView
from shared.security.principal import Principal
from shared.web.paging import Page, PageAsked, page
from shared.web.problems import InvalidField

_p = sa.bindparam
_PLAN: Final = upsert(policy, ["kind", "unit", "effective_from"], None).returning(policy.c.unit)
_LIST: Final = (
    sa.select(policy).where(policy.c.id > _p("after")).order_by(policy.c.id).limit(_p("most", type_=sa.Integer))
)


async def plan(uow: Uow, by: Principal, command: PolicyRequest[B]) -> PolicyView:
    """Decide a policy from an instant that is not past; what held in the past never changes.

    404 for a unit outside the caller's tree, 409 for one not heard of yet; 422 naming ``/effective_from`` that is past,
    too far ahead or taken.
    """
    unit = await replica.branch(uow, by, command.unit)
    begins = command.effective_from or uow.now
    if (fault := misdated(begins, uow.now)) is not None:
        raise InvalidField("/effective_from", *fault)
    body = command.body.model_dump(mode="json")
    row: dict[str, Any] = {
        "id": uuid7(),
        "kind": command.kind,
        "unit": unit.id,
        "effective_from": begins,
        "body": body,
        "approved_by": by.staff_id or by.sub,
        "created_at": uow.now,
    }
    if await uow.one(_PLAN, **row) is None:
        raise InvalidField("/effective_from", "taken", "Another policy begins at this instant", "该时刻已有政策生效")
    detail = {"kind": command.kind, "effective_from": begins.isoformat(), **body}
    await uow.audit("policy.planned", object_type="policy", object_id=row["id"], unit=unit.id, detail=detail)
    return PolicyView(**row)


async def planned(reads: Reads, asked: PageAsked) -> Page[PolicyView]:
    """Every policy that ever held or will, in the order of deciding."""
    rows = await reads.all(_LIST, after=asked.after, most=asked.fetch)
    return Page[PolicyView](**page(asked, rows, lambda row: row.id, _view))


def _view(row: Row) -> PolicyView:
    return PolicyView(**{name: getattr(row, name) for name in PolicyView.model_fields})
