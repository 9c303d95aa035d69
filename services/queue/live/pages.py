"""The stream of a branch's hall, for boards, desks and the hall page."""

from fastapi import Request

from services.queue.auth import ReadHall
from shared.directory import replica
from shared.web.fields import UnitId
from shared.web.live import Stream, stream
from shared.web.pages import PageRouter

router = PageRouter(__name__)


@router.get("/queue/live/{unit}")
async def live(request: Request, actor: ReadHall, unit: UnitId) -> Stream:
    """Changes of the branch's hall: ``ticket call visit window services``; a call says which number and window."""
    await request.app.state.services["queue"].db.read(lambda reads: replica.branch(reads, actor, unit))
    return stream(request, "queue", unit)
