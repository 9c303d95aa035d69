"""Use cases of devices: show a code, be enrolled by it, act with short tokens, be heard, fall silent, be sent away."""

from datetime import datetime, timedelta
from typing import Any

from services.queue.devices import queries
from services.queue.devices.errors import UnknownCode
from services.queue.devices.rules import CODE_LASTS, SUBJECT, TOKEN_LASTS, DeviceKind, DeviceState, tells
from shared.contracts.queue import DeviceSilent
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.replica import UnitRow
from shared.ids import digits, token128, uuid7
from shared.security.principal import DEVICE_TOKEN, Principal
from shared.web import feed
from shared.web.problems import NotFound


def subject(device: str) -> str:
    """The name under which a device acts."""
    return SUBJECT + device


async def begin(uow: Uow, kind: DeviceKind) -> str:
    """A screen asks to be enrolled: it shows a code, and keeps the key that is returned. Codes run out."""
    await uow.execute(queries.FORGET, at=uow.now)
    secret = token128()
    row: dict[str, Any] = dict.fromkeys(
        ("unit", "label", "enrolled_by", "enrolled_at", "revoked_at", "seen_at", "build", "outbox", "lease_left")
    )
    await uow.write(
        queries.ADD,
        **row,
        id=uuid7(),
        kind=kind.value,
        state=DeviceState.PENDING.value,
        secret_hash=uow.records.token_hash(secret),
        code=digits(8),
        code_ends_at=uow.now + CODE_LASTS,
        created_at=uow.now,
        silent=False,
    )
    return secret


async def by_secret(reads: Reads, secret_hash: str) -> Row | None:
    """The device of a key, whatever its state."""
    return await reads.one(queries.BY_SECRET, secret_hash=secret_hash)


async def enrol(uow: Uow, unit: UnitRow, code: str, label: str) -> str:
    """The manager confirms the code that a screen in the branch shows; the device's id. 404 for a code nobody shows."""
    row = await uow.one(queries.BY_CODE, code=code, at=uow.now)
    if row is None:
        raise UnknownCode(pointer="/code")
    await uow.write(queries.ENROL, device=row.id, at_unit=unit.id, named=label, by=uow.actor, at=uow.now)
    await uow.audit("device.enrolled", object_type="device", object_id=row.id, unit=unit.id, detail={"kind": row.kind})
    return str(row.id)


async def revoke(uow: Uow, principal: Principal, device: str) -> None:
    """Send a device away: its key and its tokens are worth nothing from here on. 404 outside the caller's units."""
    row = await uow.one(queries.DEVICE, device=device)
    if row is None or row.unit is None:
        raise NotFound(pointer="/path/device")
    await replica.branch(uow, principal, row.unit)
    if await uow.execute(queries.REVOKE, device=device, at=uow.now):
        await uow.audit("device.revoked", object_type="device", object_id=device, unit=row.unit)


async def new_token(uow: Uow, principal: Principal) -> tuple[str, datetime]:
    """A short token for the API, for whom a page knows: a device, or a session that stands in for one."""
    token = DEVICE_TOKEN + token128()
    ends = uow.now + TOKEN_LASTS
    await uow.execute(queries.FORGET_TOKENS, at=uow.now)
    await uow.write(
        queries.ADD_TOKEN,
        hash=uow.records.token_hash(token),
        device=principal.sub.removeprefix(SUBJECT) if principal.sub.startswith(SUBJECT) else None,
        sub=principal.sub,
        # Whoever stands in for a device with more than its rights gives none of them away with the token.
        role=next(kind.value for kind in DeviceKind if kind in principal.roles),
        unit=principal.units[0],
        expires_at=ends,
    )
    return token, ends


async def beat(uow: Uow, principal: Principal, build: str, outbox: int, lease_left: int) -> None:
    """A device is there; a session that stands in for one leaves no trace."""
    device = principal.sub.removeprefix(SUBJECT)
    before = await uow.one(queries.DEVICE, device=device)
    await uow.write(queries.BEAT, device=device, at=uow.now, runs=build, waiting=outbox, left=lease_left)
    if before is None or before.unit is None:
        return
    known = before.silent, before.build, tells(before.outbox or 0, before.lease_left or 0)
    if known != (False, build, tells(outbox, lease_left)):
        await feed.tell(uow, before.unit, "device")


async def tell_silent(uow: Uow, row: Row, after: timedelta) -> bool:
    """Tell, once, that a device is silent, which it may be for ``after``; False when it was heard meanwhile."""
    if not await uow.execute(queries.MARK_SILENT, device=row.id, before=uow.now - after):
        return False
    data = DeviceSilent(unit=row.unit, device=row.id, kind=row.kind, seen_at=row.seen_at)
    await uow.emit(data, subject=subject(row.id))
    await feed.tell(uow, row.unit, "device")
    return True
