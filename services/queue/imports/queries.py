"""Every statement of imports."""

import sqlalchemy as sa

from services.queue.imports.models import ImportReject, ImportRun
from services.queue.tickets.models import Visit
from shared.db.statements import insert, table, upsert
from shared.db.types import any_of
from shared.directory.tables import dir_unit

_run, _reject, _visit = table(ImportRun), table(ImportReject), table(Visit)
_p = sa.bindparam
_unfinished = _run.c.status.in_([sa.literal_column("'queued'"), sa.literal_column("'running'")])

ADD = insert(_run)
RUN = sa.select(_run).where(_run.c.id == _p("run"))
OLDEST = sa.select(_run).where(_unfinished).order_by(_run.c.id).limit(sa.literal_column("1"))
STATUS = sa.select(_run.c.id, _run.c.status).where(any_of(_run.c.id, "runs"))
BELOW = (
    sa.select(_run)
    .join(dir_unit, dir_unit.c.unit == _run.c.unit)
    .where(dir_unit.c.path >= _p("first"), dir_unit.c.path < _p("last"), _run.c.id < _p("before"))
    .order_by(_run.c.id.desc())
    .limit(_p("most", type_=sa.Integer))
)
"""Imports of the branches of a subtree, the latest first."""
REJECTS = (
    sa.select(_reject.c.line_no, _reject.c.field, _reject.c.code)
    .where(_reject.c.run == _p("run"), _reject.c.line_no > _p("after"))
    .order_by(_reject.c.line_no)
    .limit(_p("most", type_=sa.Integer))
)
PROGRESS = (
    sa.update(_run)
    .where(_run.c.id == _p("run"), _run.c.version == _p("old_version"), _unfinished)
    .values(
        status=_p("new_status"),
        failure=_p("new_failure"),
        lines=_p("new_lines"),
        accepted=_p("new_accepted"),
        rejected=_p("new_rejected"),
        unchanged=_p("new_unchanged"),
        rejected_by_code=_p("by_code"),
        started_at=_p("started"),
        finished_at=_p("finished"),
        version=_run.c.version + 1,
    )
)
ADD_REJECT = insert(_reject)
STORED = sa.select(_visit.c.id, _visit.c.content).where(any_of(_visit.c.id, "visits"))
_KEPT = ("id", "unit", "origin", "version", "quote_p50", "quote_p80", "token_hash", "contact", "staff")
STORE_VISIT = upsert(
    _visit,
    ["id"],
    {column.name: insert(_visit).excluded[column.name] for column in _visit.columns if column.name not in _KEPT}
    | {"version": _visit.c.version + 1},
)
"""A new visit, or all that a corrected line says of one."""
