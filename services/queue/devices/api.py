"""Routes of devices."""

from fastapi import Request

from services.queue.auth import ActAsDevice, ReadHall
from services.queue.devices import queries, service, twice
from services.queue.devices.schemas import DeviceView, Heartbeat, HeartbeatReply
from services.queue.devices.views import shown
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.fields import UnitId
from shared.web.paging import Page, Paging, page
from shared.web.routing import NOT_KEPT, ServiceRouter

router = ServiceRouter("queue", "devices")


@router.post("/devices/heartbeat", openapi_extra=NOT_KEPT)
async def beat_device(uow: Uow, actor: ActAsDevice, request: Request, command: Heartbeat) -> HeartbeatReply:
    """A device is there (心跳); silence of three beats is told."""
    await service.beat(uow, actor, command.build, command.outbox, command.lease_left)
    await twice.watch(uow, actor)
    return HeartbeatReply(server_now=uow.now, build=request.app.state.site.renderer.assets.build)


@router.get("/branches/{unit}/devices")
async def list_devices(reads: Reads, actor: ReadHall, unit: UnitId, paging: Paging) -> Page[DeviceView]:
    """The devices of a branch, with those that were sent away."""
    branch = await replica.branch(reads, actor, unit)
    rows = await reads.all(queries.OF_UNIT, unit=branch.id, after=paging.after, most=paging.fetch)
    return Page[DeviceView](**page(paging, rows, lambda row: row.id, shown))
