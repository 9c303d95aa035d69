"""Routes of the windows."""

from typing import Any

from services.queue.auth import Override, ReadHall, RunWindow, SetUpWindows
from services.queue.windows import queries, service
from services.queue.windows.schemas import OpenWindow, OverrideRequest, OverrideView, WindowSetUp, WindowView
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.security.principal import Principal
from shared.web.etags import etag
from shared.web.fields import PathId, UnitId
from shared.web.paging import Page, Paging, page
from shared.web.routing import ServiceRouter

router = ServiceRouter("queue", "windows")


def _view(row: Any, services: list[str]) -> WindowView:
    return WindowView(
        no=row.no,
        state=row.state,
        staff_id=row.staff,
        services=services,
        visit=row.visit,
        opened_at=row.opened_at,
        version=row.version,
    )


async def _shown(uow: Uow, unit: str, row: Any) -> WindowView:
    uow.headers["ETag"] = etag(row.version)
    return _view(row, [found.service for found in await uow.all(queries.SERVED_BY, unit=unit, no=row.no)])


@router.get("/branches/{unit}/windows")
async def list_windows(reads: Reads, actor: ReadHall, unit: UnitId, paging: Paging) -> Page[WindowView]:
    """The windows of a branch."""
    await replica.branch(reads, actor, unit)
    rows = await reads.all(queries.WINDOWS, unit=unit, after=paging.after, most=paging.fetch)
    served: dict[str, list[str]] = {}
    for row in await reads.all(queries.SERVED, unit=unit):
        served.setdefault(row.no, []).append(row.service)
    return Page[WindowView](**page(paging, rows, lambda row: row.no, lambda row: _view(row, served.get(row.no, []))))


@router.put("/branches/{unit}/windows/{no}")
async def set_up_window(uow: Uow, actor: SetUpWindows, unit: UnitId, no: PathId, command: WindowSetUp) -> WindowView:
    """Set a window up (窗口设置)."""
    await replica.branch(uow, actor, unit)
    return await _shown(uow, unit, await service.set_up(uow, unit, no, command))


@router.post("/branches/{unit}/windows/{no}/open")
async def open_window(
    uow: Uow, actor: RunWindow, unit: UnitId, no: PathId, command: OpenWindow | None = None
) -> WindowView:
    """Open a window for the teller of the token (开窗); refused without the qualifications its services need."""
    branch = await replica.branch(uow, actor, unit)
    row = await service.open_window(uow, branch, no, service.staff_of(actor), command or OpenWindow())
    return await _shown(uow, unit, row)


@router.post("/branches/{unit}/windows/{no}/break")
async def break_window(uow: Uow, actor: RunWindow, unit: UnitId, no: PathId) -> WindowView:
    """Pause a window (暂停)."""
    return await _move(uow, actor, unit, no, "break")


@router.post("/branches/{unit}/windows/{no}/resume")
async def resume_window(uow: Uow, actor: RunWindow, unit: UnitId, no: PathId) -> WindowView:
    """Go on after a break (恢复)."""
    return await _move(uow, actor, unit, no, "resume")


@router.post("/branches/{unit}/windows/{no}/close")
async def close_window(uow: Uow, actor: RunWindow, unit: UnitId, no: PathId) -> WindowView:
    """Close a window (关窗)."""
    return await _move(uow, actor, unit, no, "close")


async def _move(uow: Uow, actor: Principal, unit: str, no: str, act: str) -> WindowView:
    branch = await replica.branch(uow, actor, unit)
    return await _shown(uow, unit, await service.move(uow, actor, branch, no, act))


@router.post("/branches/{unit}/overrides", status_code=201)
async def grant_override(uow: Uow, actor: Override, unit: UnitId, command: OverrideRequest) -> OverrideView:
    """Let a person work without a qualification until the end of the business day (当日放行)."""
    branch = await replica.branch(uow, actor, unit)
    row = await service.grant_override(uow, branch, actor, command)
    return OverrideView(**row)
