"""Every SELECT and write of the windows."""

import sqlalchemy as sa

from services.queue.windows.models import Hall, Override, Window, WindowService
from shared.db.statements import insert, table, upsert

_window, _serves, _override, _hall = table(Window), table(WindowService), table(Override), table(Hall)
_p = sa.bindparam
_here = sa.and_(_window.c.unit == _p("unit"), _window.c.no == _p("no"))

WINDOW = sa.select(_window).where(_here)
WINDOW_LOCKED = WINDOW.with_for_update()
WINDOWS = (
    sa.select(_window)
    .where(_window.c.unit == _p("unit"), _window.c.no > _p("after"))
    .order_by(_window.c.no)
    .limit(_p("most", type_=sa.Integer))
)
SERVED_BY = (
    sa.select(_serves.c.service)
    .where(_serves.c.unit == _p("unit"), _serves.c.no == _p("no"))
    .order_by(_serves.c.service)
)
SERVED = (
    sa.select(_serves.c.no, _serves.c.service)
    .where(_serves.c.unit == _p("unit"))
    .order_by(_serves.c.no, _serves.c.service)
)
SERVING = (
    sa.select(_serves.c.no, _serves.c.service, _window.c.state, _window.c.visit)
    .join(_window, sa.and_(_window.c.unit == _serves.c.unit, _window.c.no == _serves.c.no))
    .where(_serves.c.unit == _p("unit"))
)
"""Which window serves what, whether it is open or on a break, and its customer."""
SET_UP = upsert(_window, ["unit", "no"], {"configured": _p("new_configured", type_=_window.c.configured.type)})
MOVE = (
    sa.update(_window)
    .where(_here)
    .values(state=_p("new_state"), staff=_p("new_staff"), opened_at=_p("new_opened"), version=_window.c.version + 1)
    .returning(*_window.columns)
)
TAKE = sa.update(_window).where(_here).values(visit=_p("new_visit"), version=_window.c.version + 1)
FREE = (
    sa.update(_window)
    .where(_here, _window.c.visit == _p("old_visit"))
    .values(visit=None, version=_window.c.version + 1)
)
RUN_BY = sa.select(_window.c.unit, _window.c.no).where(_window.c.staff == _p("staff"))
LEFT_OPEN = (
    sa.select(_window.c.unit, _window.c.no, _window.c.opened_at)
    .where(_window.c.staff.isnot(None), _window.c.visit.is_(None))
    .order_by(_window.c.opened_at)
    .limit(sa.literal_column("500"))
)
CLEAR_SERVICES = sa.delete(_serves).where(_serves.c.unit == _p("unit"), _serves.c.no == _p("no"))
ADD_SERVICE = insert(_serves)
MAKE_HALL = upsert(_hall, ["unit"], None)
LOCK_HALL = sa.update(_hall).where(_hall.c.unit == _p("unit")).values(seq=_hall.c.seq + 1).returning(_hall.c.seq)
ADD_OVERRIDE = insert(_override)
OVERRIDDEN = sa.select(_override.c.qualification).where(
    _override.c.unit == _p("unit"), _override.c.staff == _p("staff"), _override.c.business_date == _p("day")
)
