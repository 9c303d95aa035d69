"""Use cases of the organisation. Each change is told as the unit's full state."""

from typing import Any

from services.staff.organisation import queries, rules
from services.staff.organisation.errors import (
    CodeTaken,
    EmptyPeriod,
    IdTaken,
    OutsideParentPeriod,
    PathTooLong,
    UnitNotInForce,
    UnitsBelowOpen,
    UnknownUnit,
    UnknownZone,
    WrongPlace,
)
from services.staff.organisation.schemas import NewUnit, UnitChange
from shared.contracts.staff import UnitKind, UnitState
from shared.db.statements import Row, Statement
from shared.db.uow import Reads, Uow
from shared.security.access import EVERYWHERE, covers
from shared.security.principal import Principal
from shared.web.etags import check_version, etag
from shared.web.problems import NotFound, StaleVersion


async def roots_of(reads: Reads, principal: Principal) -> list[str]:
    """The units below which the caller reaches everything."""
    if EVERYWHERE in principal.units:
        return [row.id for row in await reads.all(queries.TOPS)]
    return list(principal.units)


async def find_unit(reads: Reads, principal: Principal, unit_id: str, statement: Statement = queries.FIND) -> Row:
    """The unit; 404 if there is none in the caller's tree."""
    row = await reads.one(statement, id=unit_id)
    if row is None or not covers(principal, row.path):
        raise NotFound()
    return row


async def open_unit(uow: Uow, principal: Principal, unit_id: str, pointer: str) -> Row:
    """The unit that the field at ``pointer`` names, kept open until the commit; 422 if it cannot be used there."""
    row = await uow.one(queries.LOCK, id=unit_id)
    if row is None or not covers(principal, row.path):
        raise UnknownUnit(pointer)
    if row.valid_to is not None and row.valid_to <= uow.now:
        raise UnitNotInForce(pointer)
    return row


async def claim(uow: Uow, entity: str, kind: str) -> None:
    """Take an id of the directory for a new entity; 409 if anything has it."""
    if await uow.one(queries.CLAIM, id=entity, kind=kind) is None:
        raise IdTaken(entity)


async def create_unit(uow: Uow, principal: Principal, command: NewUnit) -> Row:
    """Create a unit below its parent and tell it."""
    unit_id = command.id or command.code
    period = rules.Period(command.valid_from or uow.now, command.valid_to)
    parent = await _parent(uow, principal, command, period)
    path = rules.path_below(parent.path if parent is not None else None, unit_id)
    if not covers(principal, path):
        raise UnknownUnit("/parent")
    if len(path) > rules.MAX_PATH:
        raise PathTooLong(rules.MAX_PATH)
    _check_zone(command.zone)
    await claim(uow, unit_id, "unit")
    if await uow.one(queries.CODE, code=command.code) is not None:
        raise CodeTaken(command.code)
    row = await uow.one(
        queries.ADD,
        id=unit_id,
        code=command.code,
        parent=command.parent,
        path=path,
        kind=command.kind.value,
        name_zh=command.names.zh,
        name_en=command.names.en,
        zone=command.zone,
        cutoff=command.cutoff,
        valid_from=period.valid_from,
        valid_to=period.valid_to,
        version=1,
    )
    await _tell(uow, row)
    return row


async def change_unit(uow: Uow, principal: Principal, unit_id: str, change: UnitChange, if_match: str | None) -> Row:
    """Rename a unit, or change its zone, cut-off or end; a change that changes nothing is not told."""
    before = await find_unit(uow, principal, unit_id, queries.LOCK)
    check_version(if_match, before.version)
    given = change.model_fields_set
    after: dict[str, Any] = {
        "name_zh": change.names.zh if "names" in given else before.name_zh,
        "name_en": change.names.en if "names" in given else before.name_en,
        "zone": change.zone if "zone" in given else before.zone,
        "cutoff": change.cutoff if "cutoff" in given else before.cutoff,
        "valid_to": change.valid_to if "valid_to" in given else before.valid_to,
    }
    if all(getattr(before, name) == value for name, value in after.items()):
        return before
    _check_zone(after["zone"])
    if "valid_to" in given:
        await _check_end(uow, before, rules.Period(before.valid_from, change.valid_to))
    row = await uow.one(queries.CHANGE, of=unit_id, based_on=before.version, **after)
    if row is None:
        raise StaleVersion(headers={"ETag": etag(before.version + 1)})
    await _tell(uow, row)
    return row


async def _parent(uow: Uow, principal: Principal, command: NewUnit, period: rules.Period) -> Row | None:
    if not rules.ends_after_start(period):
        raise EmptyPeriod()
    if command.parent is None:
        if not rules.may_hang(command.kind, None):
            raise WrongPlace()
        return None
    parent = await open_unit(uow, principal, command.parent, "/parent")
    if not rules.may_hang(command.kind, UnitKind(parent.kind)):
        raise WrongPlace()
    if not rules.lies_within(period, parent):
        raise OutsideParentPeriod()
    return parent


async def _check_end(uow: Uow, unit: Row, period: rules.Period) -> None:
    if not rules.ends_after_start(period):
        raise EmptyPeriod()
    parent = await uow.one(queries.FIND, id=unit.parent) if unit.parent is not None else None
    if parent is not None and not rules.lies_within(period, parent):
        raise OutsideParentPeriod()
    if period.valid_to is not None:
        outliving = await uow.scalar(queries.OUTLIVING, parent=unit.id, end=period.valid_to)
        if outliving is not None:
            raise UnitsBelowOpen(pointer="/valid_to", unit=outliving)


def _check_zone(zone: str) -> None:
    if zone not in rules.zones():
        raise UnknownZone()


async def _tell(uow: Uow, row: Any) -> None:
    state = UnitState(
        unit=row.id,
        parent=row.parent,
        path=row.path,
        kind=UnitKind(row.kind),
        code=row.code,
        zone=row.zone,
        cutoff=row.cutoff,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
    await uow.emit(state, subject=row.id)
