"""What the hall page asks of the replica, and of the overrides."""

from typing import Final

import sqlalchemy as sa

from services.queue.windows.models import Override
from shared.db.statements import table
from shared.directory.tables import dir_person

_d, _o, _p = dir_person.c, table(Override).c, sa.bindparam

TELLERS: Final = (
    sa.select(_d.person)
    .where(_d.unit == _p("unit"), _d.active, _d.post == sa.literal_column("'teller'"))
    .order_by(_d.person)
    .limit(sa.literal_column("200"))
)
"""The tellers of a branch."""

OVERRIDES: Final = (
    sa.select(_o.id, _o.staff, _o.qualification, _o.granted_by, _o.granted_at)
    .where(_o.unit == _p("unit"), _o.business_date == _p("day"))
    .order_by(_o.granted_at.desc(), _o.id)
    .limit(sa.literal_column("50"))
)
"""Who works without a certificate today, the latest first; the reasons stay sealed."""
