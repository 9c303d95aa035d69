"""What the front door lists."""

from typing import Final

import sqlalchemy as sa

from services.staff.organisation.queries import UNITS
from services.staff.people.queries import PEOPLE

_u, _p = UNITS.c, PEOPLE.c
BRANCHES: Final = (
    sa.select(_u.id, _u.name_zh, _u.name_en)
    .where(_u.kind == sa.literal_column("'branch'"))
    .order_by(_u.path)
    .limit(200)
)
TOP: Final = sa.select(_u.id, _u.name_zh, _u.name_en).where(_u.parent.is_(None)).order_by(_u.path).limit(1)
UNIT: Final = sa.select(_u.id, _u.name_zh, _u.name_en, _u.kind, _u.zone).where(_u.id == sa.bindparam("unit"))
PEOPLE_OF: Final = (
    sa.select(_p.id, _p.post, _p.name_masked)
    .where(
        _p.unit == sa.bindparam("unit"),
        _p.active,
        _p.post.in_([sa.literal_column("'teller'"), sa.literal_column("'branch_manager'")]),
    )
    .order_by(_p.post, _p.id)
    .limit(100)
)
PERSON: Final = sa.select(_p.id, _p.unit, _p.post, _p.active).where(_p.id == sa.bindparam("person"))
