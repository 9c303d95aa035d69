"""What the desk and the hall page show of a branch."""

from typing import Any

from services.queue.catalogue import queries as catalogue
from services.queue.desk import queries, views
from services.queue.windows import queries as window_queries
from services.queue.windows.rules import WindowState
from shared.db.uow import Reads
from shared.directory.business_day import business_date
from shared.security.principal import Principal
from shared.web import feed
from shared.web.problems import NotFound


def own_unit(actor: Principal) -> str:
    """The unit a person belongs to; 404 for who belongs to none."""
    if not actor.units:
        raise NotFound
    return actor.units[0]


async def look(reads: Reads, branch: Any) -> dict[str, Any]:
    """A branch's hall as it stands: its queue, windows and services, and the number of the last change."""
    queue = await reads.all(queries.QUEUE, unit=branch.id, day=business_date(reads.now, branch.zone, branch.cutoff))
    services = {row.code: row for row in await reads.all(catalogue.OFFERED, unit=branch.id, after="", most=200)}
    # Who took a ticket for what is not offered any more still waits for it.
    gone = sorted({row.service for row in queue} - services.keys())
    services |= {row.code: row for row in (await reads.all(catalogue.SERVICES, codes=gone) if gone else ())}
    served = views.served_by(await reads.all(window_queries.SERVED, unit=branch.id))
    rows = views.by_number(await reads.all(queries.WINDOWS, unit=branch.id))
    open_now = {row.no: served.get(row.no, set()) for row in rows if row.state == WindowState.OPEN}
    return {
        "branch": branch,
        "queue": queue,
        "services": services,
        "classes": {row.code: row for row in await reads.all(catalogue.CLASSES, at=reads.now)},
        "windows": rows,
        "served": served,
        "lines": views.lines(queue, services, open_now, reads.now),
        "seq": await feed.head(reads, branch.id),
    }
