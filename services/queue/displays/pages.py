"""The lobby's board: drawn by the server, kept fresh by the branch's stream, announcing each call as it happens."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Form, Request
from starlette.responses import JSONResponse, Response

from services.queue.auth import ActAsDevice, ReadBoard
from services.queue.devices import service as devices
from services.queue.displays.rules import LAST, NEXT, fresh
from services.queue.kiosks import service as kiosks
from services.queue.kiosks.views import tile
from services.queue.tickets import queries as tickets
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web import feed
from shared.web.fields import UnitId
from shared.web.i18n import N_
from shared.web.live import Stream, stream
from shared.web.pages import Page, PageRouter
from shared.web.places import unit_name
from shared.web.render import Screen
from shared.web.site import site

router = PageRouter(
    __name__,
    screens=(
        Screen(
            "/queue/board/{unit}",
            N_("Lobby board"),
            N_("Who is called, who is next"),
            roles=frozenset({"board", "teller", "branch_manager"}),
            order=15,
        ),
    ),
)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def _place(request: Request, actor: ReadBoard, unit: UnitId) -> Mapping[str, str]:
    # Whose branch it is not learns nothing, not even its name.
    await request.app.state.services["queue"].db.read(lambda reads: replica.branch(reads, actor, unit))
    return await unit_name(request, unit)


@router.get("/queue/board/{unit}")
async def board(
    reads: Reads, actor: ReadBoard, unit: UnitId, place: Annotated[Mapping[str, str], Depends(_place)]
) -> Page:
    """The board of a branch."""
    branch = await replica.branch(reads, actor, unit)
    day = branch.business_date(reads.now)
    called = await reads.all(tickets.LAST_CALLED, unit=branch.id, day=day, most=LAST + 1)
    waiting = await reads.all(tickets.WAITING, unit=branch.id, day=day, after_at=BEGINNING, after_id="", most=NEXT)
    newest = called[0] if called and fresh(called[0].called_at, reads.now) else None
    return Page(
        "board.html",
        block="hall",
        place=place,
        unit=branch,
        seq=await feed.head(reads, branch.id),
        newest=newest,
        last=called[1:] if newest is not None else called[:LAST],
        waiting=waiting,
        beats=actor.client == "device",
        waits=[tile(each) for each in await kiosks.waits(reads, branch, 0)],
    )


@router.get("/queue/board/{unit}/live")
async def live(request: Request, actor: ReadBoard, unit: UnitId) -> Stream:
    """The branch's stream, for boards alone: they read nothing else of the hall."""
    await request.app.state.services["queue"].db.read(lambda reads: replica.branch(reads, actor, unit))
    return stream(request, "queue", unit)


@router.post("/queue/board/{unit}/beat")
async def beat(
    request: Request, actor: ActAsDevice, unit: UnitId, build: Annotated[str, Form(pattern=r"^[0-9a-f]{1,64}$")]
) -> Response:
    """An enrolled board is there (心跳); the build that is served."""

    async def heard(uow: Uow) -> None:
        await replica.branch(uow, actor, unit)
        await devices.beat(uow, actor, build, 0, 0)

    await request.app.state.services["queue"].db.write(heard, actor=actor.sub, brief=True)
    return JSONResponse({"build": site(request).renderer.assets.build}, headers={"cache-control": "no-store"})
