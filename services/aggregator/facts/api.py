"""Routes for operations."""

from services.aggregator.auth import RebuildCells
from services.aggregator.facts import rebuild
from services.aggregator.facts.schemas import RebuildAccepted
from shared.db.uow import Uow
from shared.web.routing import ServiceRouter

router = ServiceRouter("aggregator", "rebuild")


@router.post("/rebuild", status_code=202)
async def rebuild_cells(uow: Uow, actor: RebuildCells) -> RebuildAccepted:
    """Make all figures anew from the facts beside the present ones (重算指标); one that is under way goes on."""
    return RebuildAccepted(generation=await rebuild.request(uow))
