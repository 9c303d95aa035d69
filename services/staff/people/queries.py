"""Statements over people."""

from typing import Final

import sqlalchemy as sa

from services.staff.organisation.queries import UNITS, within
from services.staff.people.models import PersonRow
from shared.db.statements import insert, table

PEOPLE: Final = table(PersonRow)
_p, _c = sa.bindparam, PEOPLE.c
_PLACED = sa.select(PEOPLE, UNITS.c.path).join_from(PEOPLE, UNITS, UNITS.c.id == _c.unit)

FIND: Final = _PLACED.where(_c.id == _p("id"))
LOCK: Final = FIND.with_for_update(of=PEOPLE)
LIST: Final = _PLACED.where(_c.id > _p("after"), within(UNITS.c.path)).order_by(_c.id).limit(_p("limit"))
ADD: Final = insert(PEOPLE).returning(*PEOPLE.c)
CHANGE: Final = (
    sa.update(PEOPLE)
    .where(_c.id == _p("of"), _c.version == _p("based_on"))
    .values(
        {name: _p(name, type_=_c[name].type) for name in ("unit", "post", "active", "name_sealed", "name_masked")}
        | {"version": _c.version + 1}
    )
    .returning(*PEOPLE.c)
)
