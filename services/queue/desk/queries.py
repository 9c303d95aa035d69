"""What the desk shows beside its own window."""

from typing import Final

import sqlalchemy as sa

from services.queue.tickets.queries import visit
from services.queue.windows.models import Window
from shared.db.statements import table

_v, _w, _p = visit.c, table(Window).c, sa.bindparam

MOST: Final = 500
"""People of a full hall that a page counts; more would be a fault and not a hall."""

QUEUE: Final = (
    sa.select(_v.id, _v.number, _v.service, _v.ticket_class, _v.issued_at, _v.order_at, _v.quote_p80)
    .where(_v.unit == _p("unit"), _v.status == sa.literal_column("'waiting'"), _v.business_date == _p("day"))
    .order_by(_v.order_at, _v.id)
    .limit(sa.literal_column(str(MOST)))
)
"""Everybody who waits at a branch today, in the order of calling."""

WINDOWS: Final = (
    sa.select(
        _w.no, _w.state, _w.staff, _w.opened_at, _w.configured, _v.id.label("visit"), _v.number, _v.status,
        _v.service, _v.called_at, _v.started_at,
    )
    .select_from(table(Window).outerjoin(visit, _v.id == _w.visit))
    .where(_w.unit == _p("unit"))
    .limit(sa.literal_column("200"))
)  # fmt: skip
"""The windows of a branch, each with its customer."""
