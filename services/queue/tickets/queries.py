"""Every SELECT and write of visits."""

import sqlalchemy as sa

from services.queue.tickets.models import TicketCounter, Visit
from services.queue.windows.models import Window, WindowService
from shared.db.statements import insert, table, upsert
from shared.db.types import any_of

visit, _counter, _window, _serves = table(Visit), table(TicketCounter), table(Window), table(WindowService)
_p = sa.bindparam

NEXT_NUMBER = upsert(_counter, ["unit", "business_date", "prefix"], {"last": _counter.c.last + 1}).returning(
    _counter.c.last
)
TAKE_NUMBERS = upsert(
    _counter,
    ["unit", "business_date", "prefix"],
    {"last": _counter.c.last + _p("count", type_=sa.Integer)},
).returning(_counter.c.last)
"""Take ``count`` numbers at once; the last of them. ``last`` is the same count, for a counter that begins."""
ADD = insert(visit)
KNOWN = sa.select(visit.c.id).where(any_of(visit.c.id, "visits"))
WAITING_BY_SERVICE = (
    sa.select(visit.c.service, sa.func.count().label("waiting"))
    .where(
        visit.c.unit == _p("unit"),
        visit.c.status == sa.literal_column("'waiting'"),
        visit.c.business_date == _p("day"),
    )
    .group_by(visit.c.service)
)
VISIT = sa.select(visit).where(visit.c.id == _p("visit"))
VISIT_LOCKED = VISIT.with_for_update()
BY_TOKEN = sa.select(visit).where(visit.c.token_hash == _p("token_hash"))

LAST_CALLED = (
    sa.select(visit.c.number, visit.c.window, visit.c.called_at)
    .where(visit.c.unit == _p("unit"), visit.c.business_date == _p("day"), visit.c.called_at.is_not(None))
    .order_by(visit.c.called_at.desc(), visit.c.id.desc())
    .limit(_p("most", type_=sa.Integer))
)
"""The numbers called last at a branch on a day, newest first."""

# Who is served before the ticket: waiting tickets of any service that shares a running window with this one's.
_mine, _shared = _serves.alias("mine"), _serves.alias("shared")
_competing = (
    sa.select(_shared.c.service)
    .join(_mine, sa.and_(_mine.c.unit == _shared.c.unit, _mine.c.no == _shared.c.no))
    .where(_mine.c.unit == _p("unit"), _mine.c.service == _p("service"))
)
_ahead = (
    sa.select(sa.func.count())
    .select_from(visit)
    .where(
        visit.c.unit == _p("unit"),
        visit.c.status == sa.literal_column("'waiting'"),
        visit.c.business_date == _p("day"),
        sa.tuple_(visit.c.order_at, visit.c.id)
        < sa.tuple_(_p("order_at", type_=visit.c.order_at.type), _p("own", type_=sa.Text)),
        sa.or_(visit.c.service == _p("service"), visit.c.service.in_(_competing)),
    )
    .scalar_subquery()
)
_open = (
    sa.select(sa.func.count())
    .select_from(_serves.join(_window, sa.and_(_window.c.unit == _serves.c.unit, _window.c.no == _serves.c.no)))
    .where(
        _serves.c.unit == _p("unit"), _serves.c.service == _p("service"), _window.c.state == sa.literal_column("'open'")
    )
)
AHEAD = sa.select(
    _ahead.label("ahead"),
    _open.scalar_subquery().label("servers"),
    _open.where(_window.c.visit.is_(None)).scalar_subquery().label("idle"),
)
"""Tickets before ``order_at`` that compete for the same windows, open windows with the skill, and those without a
customer."""

WAITING = (
    sa.select(visit.c.id, visit.c.number, visit.c.service, visit.c.ticket_class, visit.c.issued_at, visit.c.order_at)
    .where(
        visit.c.unit == _p("unit"),
        visit.c.status == sa.literal_column("'waiting'"),
        visit.c.business_date == _p("day"),
        sa.tuple_(visit.c.order_at, visit.c.id)
        > sa.tuple_(_p("after_at", type_=visit.c.order_at.type), _p("after_id", type_=sa.Text)),
    )
    .order_by(visit.c.order_at, visit.c.id)
    .limit(_p("most", type_=sa.Integer))
)

NEXT = (
    sa.select(visit.c.id, visit.c.issued_at)
    .where(
        visit.c.unit == _p("unit"),
        visit.c.status == sa.literal_column("'waiting'"),
        visit.c.business_date == _p("day"),
        visit.c.service.in_(sa.select(_serves.c.service).where(_serves.c.unit == _p("unit"), _serves.c.no == _p("no"))),
    )
    .order_by(visit.c.order_at, visit.c.id)
    .limit(sa.literal_column("1"))
)
CALL = (
    sa.update(visit)
    .where(visit.c.id == _p("visit"), visit.c.status == sa.literal_column("'waiting'"))
    .values(
        status=sa.literal_column("'called'"),
        called_at=_p("at"),
        wait_seconds=_p("wait"),
        calls=1,
        window=_p("no"),
        staff=_p("new_staff"),
        version=visit.c.version + 1,
    )
    .returning(*visit.columns)
)
MOVE = (
    sa.update(visit)
    .where(visit.c.id == _p("visit"))
    .values(
        status=_p("new_status"),
        started_at=_p("new_started"),
        finished_at=_p("new_finished"),
        left_at=_p("new_left"),
        end_cause=_p("new_cause"),
        wait_seconds=_p("new_wait"),
        handling_seconds=_p("new_handling"),
        calls=_p("new_calls"),
        version=visit.c.version + 1,
    )
    .returning(*visit.columns)
)
_unserved = visit.c.status.in_([sa.literal_column("'waiting'"), sa.literal_column("'called'")])
OPEN_DAYS = (
    sa.select(visit.c.business_date, visit.c.unit)
    .distinct()
    .where(_unserved, visit.c.business_date <= _p("day"))
    .order_by(visit.c.business_date, visit.c.unit)
)
"""Business days of branches that still have somebody waiting or called."""
ORPHANS = (
    sa.select(visit.c.id)
    .where(_unserved, visit.c.business_date == _p("day"), visit.c.unit == _p("unit"))
    .order_by(visit.c.id)
    .limit(_p("most", type_=sa.Integer))
)
# A visit in service holds a window, and windows are few.
_in_service = sa.and_(visit.c.id == _window.c.visit, visit.c.status == sa.literal_column("'serving'"))
SERVED_DAYS = (
    sa.select(visit.c.business_date, visit.c.unit)
    .distinct()
    .select_from(_window.join(visit, _in_service))
    .where(visit.c.business_date <= _p("day"))
    .order_by(visit.c.business_date, visit.c.unit)
)
"""Business days of branches that still have somebody in service."""
FORGOTTEN = (
    sa.select(visit.c.id)
    .select_from(_window.join(visit, _in_service))
    .where(visit.c.business_date == _p("day"), _window.c.unit == _p("unit"))
    .order_by(visit.c.id)
    .limit(_p("most", type_=sa.Integer))
)
