"""What the hall page asks of the replica."""

from typing import Final

import sqlalchemy as sa

from shared.directory.tables import dir_person

_d, _p = dir_person.c, sa.bindparam

TELLERS: Final = (
    sa.select(_d.person)
    .where(_d.unit == _p("unit"), _d.active, _d.post == sa.literal_column("'teller'"))
    .order_by(_d.person)
    .limit(sa.literal_column("200"))
)
"""The tellers of a branch."""
