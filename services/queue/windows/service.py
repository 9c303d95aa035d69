"""Use cases of the windows."""

from datetime import datetime
from typing import Any

from services.queue.catalogue.service import offered_among
from services.queue.windows import queries
from services.queue.windows.errors import (
    NoStaffId,
    NotQualified,
    NotYourWindow,
    OwnOverride,
    StaffBusy,
    StaffNotActive,
    WindowBusy,
)
from services.queue.windows.rules import MOVES, WindowState, allowed, missing
from services.queue.windows.schemas import OpenWindow, OverrideRequest, WindowSetUp
from shared.contracts.queue import ControlOverridden, ControlRefused, WindowClosed, WindowOpened
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.directory.business_day import business_date
from shared.events.outgoing import Outgoing
from shared.ids import uuid7
from shared.security.principal import Principal
from shared.web import feed
from shared.web.problems import IllegalTransition, NotFound

UnitRow = Any


def window_subject(unit: str, no: str) -> str:
    """The subject of a window's events."""
    return f"window:{unit}:{no}"


def staff_of(principal: Principal) -> str:
    """The member of staff that the token names; needed wherever a person must answer for the act."""
    if principal.staff_id is None:
        raise NoStaffId
    return principal.staff_id


async def set_up(uow: Uow, unit: str, no: str, command: WindowSetUp) -> Row:
    """Make a window, or change what it is set up for; a running window keeps what it was opened for."""
    if command.services is not None:
        await offered_among(uow, unit, command.services)
    await uow.write(queries.MAKE_HALL, unit=unit, seq=0)
    await uow.write(
        queries.SET_UP,
        unit=unit,
        no=no,
        state=WindowState.CLOSED,
        configured=command.services,
        new_configured=command.services,
        staff=None,
        visit=None,
        opened_at=None,
        version=1,
    )
    await uow.audit("window.set_up", object_type="window", object_id=f"{unit}:{no}", unit=unit)
    found = await uow.one(queries.WINDOW, unit=unit, no=no)
    await feed.tell(uow, unit, "window")
    return found


async def locked(uow: Uow, unit: str, no: str) -> Row:
    """The window under its row lock, or 404."""
    row = await uow.one(queries.WINDOW_LOCKED, unit=unit, no=no)
    if row is None:
        raise NotFound(pointer="/path/no")
    return row


def check_runs(principal: Principal, row: Row) -> None:
    """Only who opened the window works at it; a branch manager may too."""
    if row.staff is not None and row.staff != principal.staff_id and "branch_manager" not in principal.roles:
        raise NotYourWindow(window=row.no)


async def open_window(uow: Uow, unit: UnitRow, no: str, staff: str, command: OpenWindow) -> Row:
    """Open a window for a teller, if each service's qualification is valid at this instant.

    INVARIANT: the gate reads the replica and our own clock, so an expiry needs no event and works with staff down
    (tests/queue/windows/test_api.py::test_expired_certificate_is_refused_with_staff_stopped).
    """
    replica.require_in_force(unit, uow.now)
    row = await locked(uow, unit.id, no)
    if row.state not in MOVES["open"][0]:
        raise IllegalTransition(state=row.state, allowed=allowed(row.state))
    await _check_active(uow, staff)
    elsewhere = await uow.one(queries.RUN_BY, staff=staff)
    if elsewhere is not None:
        raise StaffBusy(unit=elsewhere.unit, window=elsewhere.no)
    required = await offered_among(uow, unit.id, command.services or row.configured)
    await _check_qualified(uow, unit, no, staff, required)
    opened = await uow.one(
        queries.MOVE, unit=unit.id, no=no, new_state=WindowState.OPEN, new_staff=staff, new_opened=uow.now
    )
    await uow.many(queries.ADD_SERVICE, [{"unit": unit.id, "no": no, "service": code} for code in sorted(required)])
    await uow.emit(
        WindowOpened(unit=unit.id, window=no, staff=staff, services=tuple(sorted(required)), opened_at=uow.now),
        subject=window_subject(unit.id, no),
    )
    await uow.audit("window.opened", object_type="window", object_id=f"{unit.id}:{no}", unit=unit.id)
    await feed.tell(uow, unit.id, "window")
    return opened


async def _check_active(uow: Uow, staff: str) -> None:
    if not (await replica.person(uow, staff)).active:
        raise StaffNotActive(staff=staff)


async def not_qualified_for(reads: Reads, unit: UnitRow, staff: str, required: dict[str, str | None]) -> dict[str, str]:
    """The services among ``required`` (service → qualification) that the person may not serve now, with what is
    missing; an override of the day counts."""
    codes = sorted({code for code in required.values() if code is not None})
    absent = await replica.qualified(reads, staff, codes, reads.now)
    if not absent:
        return {}
    day = business_date(reads.now, unit.zone, unit.cutoff)
    overridden = {row.qualification for row in await reads.all(queries.OVERRIDDEN, unit=unit.id, staff=staff, day=day)}
    return missing(required, set(codes) - absent, overridden)


async def _check_qualified(uow: Uow, unit: UnitRow, no: str, staff: str, required: dict[str, str | None]) -> None:
    lacking = await not_qualified_for(uow, unit, staff, required)
    if not lacking:
        return
    refusal = NotQualified(
        missing=sorted(set(lacking.values())),
        services=sorted(lacking),
        detail_en=f"Missing now: {', '.join(sorted(set(lacking.values())))}.",
        detail_zh=f"当前缺少资格:{'、'.join(sorted(set(lacking.values())))}。",
    )
    refusal.tell = [
        Outgoing(
            ControlRefused(
                unit=unit.id,
                control="window.qualification",
                object=window_subject(unit.id, no),
                staff=staff,
                missing=tuple(sorted(set(lacking.values()))),
                at=uow.now,
            ),
            window_subject(unit.id, no),
            uow.now,
        )
    ]
    raise refusal


async def move(uow: Uow, principal: Principal, unit: UnitRow, no: str, act: str) -> Row:
    """Break, resume or close a window; resuming asks for the qualifications again, as opening does."""
    row = await locked(uow, unit.id, no)
    before, after = MOVES[act]
    if row.state not in before:
        raise IllegalTransition(state=row.state, allowed=allowed(row.state))
    check_runs(principal, row)
    if row.visit is not None and act in ("break", "close"):
        raise WindowBusy(visit=row.visit)
    if act == "resume":
        served = [found.service for found in await uow.all(queries.SERVED_BY, unit=unit.id, no=no)]
        await _check_qualified(uow, unit, no, row.staff, await offered_among(uow, unit.id, served))
    return await _moved(uow, row, after)


async def close_left_open(uow: Uow, unit: str, no: str, opened_at: datetime) -> bool:
    """Close a window that nobody closed, unless somebody has used it meanwhile; whether it was closed."""
    row = await locked(uow, unit, no)
    if row.opened_at != opened_at or row.visit is not None:
        return False
    await _moved(uow, row, WindowState.CLOSED)
    return True


async def _moved(uow: Uow, row: Row, after: WindowState) -> Row:
    unit, no = row.unit, row.no
    closing = after is WindowState.CLOSED
    moved = await uow.one(
        queries.MOVE,
        unit=unit,
        no=no,
        new_state=after,
        new_staff=None if closing else row.staff,
        new_opened=None if closing else row.opened_at,
    )
    if closing:
        await uow.write(queries.CLEAR_SERVICES, unit=unit, no=no)
        await uow.emit(
            WindowClosed(unit=unit, window=no, staff=row.staff, closed_at=uow.now), subject=window_subject(unit, no)
        )
        await uow.audit("window.closed", object_type="window", object_id=f"{unit}:{no}", unit=unit)
    await feed.tell(uow, unit, "window")
    return moved


async def grant_override(uow: Uow, unit: UnitRow, principal: Principal, command: OverrideRequest) -> dict[str, Any]:
    """Let a person work for the day without a qualification; told, recorded, its reason sealed."""
    by = principal.staff_id or principal.sub
    if command.staff == by:
        raise OwnOverride(pointer="/staff")
    await _check_active(uow, command.staff)
    row = {
        "id": uuid7(),
        "unit": unit.id,
        "staff": command.staff,
        "qualification": command.qualification,
        "business_date": business_date(uow.now, unit.zone, unit.cutoff),
        "granted_by": by,
        "granted_at": uow.now,
    }
    sealed = await uow.seal("override", row["id"], "reason", command.reason)
    await uow.write(queries.ADD_OVERRIDE, **row, reason=sealed)
    await uow.emit(
        ControlOverridden(
            unit=unit.id,
            control="window.qualification",
            object=row["id"],
            staff=command.staff,
            by=by,
            business_date=row["business_date"],
            at=uow.now,
        ),
        subject=row["id"],
    )
    await uow.audit(
        "control.overridden",
        object_type="override",
        object_id=row["id"],
        unit=unit.id,
        detail={"staff": command.staff, "qualification": command.qualification},
    )
    await feed.tell(uow, unit.id, "window")
    return row
