"""Statements over units."""

from itertools import product
from typing import Any, Final

import sqlalchemy as sa

from services.staff.organisation.models import DirectoryId, UnitRow
from shared.db.statements import insert, table, upsert
from shared.db.types import any_of

UNITS: Final = table(UnitRow)
_AFTER_ANY_ID: Final = "~"
_p, _c = sa.bindparam, UNITS.c


def within(path: Any, name: str = "roots") -> sa.ColumnElement[bool]:
    """A condition: the unit at ``path`` is, or lies below, one of the units in the list parameter ``name``."""
    root = UNITS.alias("root")
    return sa.exists().where(any_of(root.c.id, name), path >= root.c.path, path < root.c.path + _AFTER_ANY_ID)


def _listing(*, parent: bool, kind: bool) -> sa.Select[Any]:
    chosen = sa.select(UNITS).where(_c.id > _p("after"), within(_c.path))
    if parent:
        chosen = chosen.where(_c.parent == _p("parent"))
    if kind:
        chosen = chosen.where(_c.kind == _p("kind"))
    return chosen.order_by(_c.id).limit(_p("limit"))


FIND: Final = sa.select(UNITS).where(_c.id == _p("id"))
LOCK: Final = FIND.with_for_update()
CODE: Final = sa.select(_c.id).where(_c.code == _p("code"))
TOPS: Final = sa.select(_c.id).where(_c.parent.is_(None))
LISTS: Final = {(p, k): _listing(parent=p, kind=k) for p, k in product((False, True), repeat=2)}
OUTLIVING: Final = (
    sa.select(_c.id)
    .where(_c.parent == _p("parent"), sa.or_(_c.valid_to.is_(None), _c.valid_to > _p("end")))
    .order_by(_c.id)
    .limit(1)
)
CLAIM: Final = upsert(table(DirectoryId), ["id"], None).returning(table(DirectoryId).c.id)
ADD: Final = insert(UNITS).returning(*UNITS.c)
CHANGE: Final = (
    sa.update(UNITS)
    .where(_c.id == _p("of"), _c.version == _p("based_on"))
    .values(
        {name: _p(name, type_=_c[name].type) for name in ("name_zh", "name_en", "zone", "cutoff", "valid_to")}
        | {"version": _c.version + 1}
    )
    .returning(*UNITS.c)
)
