"""Statements over qualifications."""

from typing import Final

import sqlalchemy as sa

from services.staff.qualifications.models import QualificationRow
from shared.db.statements import insert, table

QUALIFICATIONS: Final = table(QualificationRow)
_p, _c = sa.bindparam, QUALIFICATIONS.c

FIND: Final = sa.select(QUALIFICATIONS).where(_c.id == _p("id"), _c.person == _p("person"))
LOCK: Final = FIND.with_for_update()
LIST: Final = (
    sa.select(QUALIFICATIONS).where(_c.person == _p("person"), _c.id > _p("after")).order_by(_c.id).limit(_p("limit"))
)
SAME: Final = sa.select(_c.id).where(
    _c.person == _p("person"), _c.code == _p("code"), _c.valid_from == _p("valid_from"), _c.revoked_at.is_(None)
)
ADD: Final = insert(QUALIFICATIONS).returning(*_c)
REVOKE: Final = (
    sa.update(QUALIFICATIONS)
    .where(_c.id == _p("of"), _c.revoked_at.is_(None))
    .values(
        revoked_at=_p("revoked_at", type_=_c.revoked_at.type),
        revoked_by=_p("revoked_by"),
        revoke_reason_sealed=_p("revoke_reason_sealed"),
        version=_c.version + 1,
    )
    .returning(*_c)
)
