"""Pages of devices: the screen that wants to be enrolled, and the manager's list."""

from typing import Annotated

from fastapi import Form, Request
from starlette.responses import JSONResponse, Response

from services.queue.auth import ActAsDevice, SetUpDevices
from services.queue.devices import queries, service
from services.queue.devices.errors import UnknownCode
from services.queue.devices.rules import DeviceKind, DeviceState, told_again
from services.queue.devices.views import name_of, shown
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.security.principal import Principal
from shared.security.scopes import public
from shared.web.i18n import N_
from shared.web.pages import Page, PageRouter, SeeOther
from shared.web.render import Screen
from shared.web.session import device_cookie_name, set_device_cookie

router = PageRouter(
    __name__,
    screens=(
        Screen(
            "/queue/devices",
            N_("Devices"),
            N_("Enrol kiosks and boards, see which are silent"),
            roles=frozenset({"branch_manager"}),
            order=40,
        ),
    ),
)

ANY_SCREEN = [public("a new screen has no identity yet; what it gets is a code for the manager")]
Code = Annotated[str, Form(max_length=20)]
Label = Annotated[str, Form(max_length=40)]
HOMES = {DeviceKind.KIOSK: "/queue/kiosk", DeviceKind.BOARD: "/queue/board/{unit}"}


@router.get("/queue/device", dependencies=ANY_SCREEN)
async def device(reads: Reads, request: Request) -> Page | SeeOther:
    """What this screen is: nothing yet, waiting with its code, or enrolled, which leads on to what it is for."""
    row = await _own(reads, request)
    if row is not None and row.state == DeviceState.ACTIVE:
        return SeeOther(HOMES[DeviceKind(row.kind)].format(unit=row.unit))
    waits = row is not None and row.state == DeviceState.PENDING and row.code_ends_at > reads.now
    return Page(
        "device.html", device=row if waits else None, revoked=row is not None and row.state == DeviceState.REVOKED
    )


@router.post("/queue/device", dependencies=ANY_SCREEN)
async def begin(uow: Uow, request: Request, kind: Annotated[DeviceKind, Form()]) -> SeeOther:
    """Ask to be enrolled: the screen gets its key, and shows a code."""
    secret = await service.begin(uow, kind)
    return SeeOther("/queue/device", {"set-cookie": set_device_cookie(request, secret)})


@router.post("/queue/devices/token")
async def token(request: Request, actor: ActAsDevice) -> Response:
    """A short token for the API, to scripts of a device's page."""
    found, ends = await request.app.state.services["queue"].db.write(
        lambda uow: service.new_token(uow, actor), actor=actor.sub, brief=True
    )
    return JSONResponse({"token": found, "expires_at": ends.isoformat()}, headers={"cache-control": "no-store"})


@router.get("/queue/devices")
async def devices(reads: Reads, actor: SetUpDevices) -> Page:
    """The branch's devices, and the form for a new one."""
    return await _list(reads, actor)


@router.post("/queue/devices")
async def enrol(uow: Uow, actor: SetUpDevices, code: Code, label: Label = "") -> Page | SeeOther:
    """Confirm the code on a screen."""
    unit = await replica.branch(uow, actor, actor.units[0])
    try:
        await service.enrol(uow, unit, "".join(filter(str.isdigit, code)), label.strip())
    except UnknownCode:
        return await _list(uow, actor, typed=code, label=label, status=404)
    return SeeOther("/queue/devices")


@router.post("/queue/devices/{device}/revoke")
async def revoke(uow: Uow, actor: SetUpDevices, device: str) -> SeeOther:
    """Send a device away."""
    await service.revoke(uow, actor, device)
    return SeeOther("/queue/devices")


async def _list(reads: Reads, actor: Principal, typed: str = "", label: str = "", status: int = 200) -> Page:
    unit = await replica.branch(reads, actor, actor.units[0])
    rows = await reads.all(queries.OF_UNIT, unit=unit.id, after="", most=200)
    found = sorted(map(shown, rows), key=lambda each: (each.state != DeviceState.ACTIVE, each.label or ""))
    twice = {each.id for each in found if each.state == DeviceState.ACTIVE and not told_again(each.twice_at, reads.now)}
    return Page(
        "devices.html",
        status=status,
        devices=found,
        twice=twice,
        names={each.id: name_of(each) for each in found},
        unit=unit,
        typed=typed,
        label=label,
        wrong=status != 200,
    )


async def _own(reads: Reads, request: Request) -> Row | None:
    secret = request.cookies.get(device_cookie_name(request), "")
    if not 0 < len(secret) <= 64:
        return None
    return await service.by_secret(reads, request.app.state.keyring.token_hash(secret))
