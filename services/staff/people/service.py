"""Use cases of people. Each change is told as the person's full state, without the name."""

from typing import Any, Final

from services.staff.organisation.service import claim, open_unit
from services.staff.people import queries
from services.staff.people.errors import PersonalDataDestroyed
from services.staff.people.rules import RevealPurpose
from services.staff.people.schemas import NewPerson, PersonChange
from shared.contracts.staff import PersonState
from shared.db.statements import Row, Statement
from shared.db.uow import Reads, Uow
from shared.ids import uuid7
from shared.security.access import covers
from shared.security.envelope import Unreadable
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.web.etags import check_version, etag
from shared.web.problems import NotFound, StaleVersion

TABLE: Final = queries.PEOPLE.name


async def find_person(reads: Reads, principal: Principal, person_id: str, statement: Statement = queries.FIND) -> Row:
    """The person with the ``path`` of their unit; 404 if there is none in the caller's tree."""
    row = await reads.one(statement, id=person_id)
    if row is None or not covers(principal, row.path):
        raise NotFound()
    return row


async def create_person(uow: Uow, principal: Principal, command: NewPerson) -> Row:
    """Create a member of staff in a unit of the caller's tree and tell it."""
    await open_unit(uow, principal, command.unit, "/unit")
    person_id = command.id or uuid7()
    await claim(uow, person_id, "person")
    row = await uow.one(
        queries.ADD,
        id=person_id,
        unit=command.unit,
        post=command.post,
        active=command.active,
        name_sealed=await uow.seal(TABLE, person_id, "name", command.name),
        name_masked=mask_name(command.name),
        version=1,
    )
    await _tell(uow, row)
    await uow.audit("person.created", object_type=TABLE, object_id=person_id, unit=command.unit)
    return row


async def change_person(
    uow: Uow, principal: Principal, person_id: str, change: PersonChange, if_match: str | None
) -> Row:
    """Change post, unit, activity or name; a change that changes nothing is neither told nor counted."""
    before = await find_person(uow, principal, person_id, queries.LOCK)
    check_version(if_match, before.version)
    given = change.model_fields_set
    after = {
        name: getattr(change, name) if name in given else getattr(before, name) for name in ("unit", "post", "active")
    }
    changed = sorted(name for name, value in after.items() if getattr(before, name) != value)
    if "name" in given:
        changed.append("name")
    if not changed:
        return before
    if "unit" in changed:
        await open_unit(uow, principal, after["unit"], "/unit")
    sealed, masked = before.name_sealed, before.name_masked
    if "name" in given:
        sealed, masked = await uow.seal(TABLE, person_id, "name", change.name), mask_name(change.name)
    row = await uow.one(
        queries.CHANGE, of=person_id, based_on=before.version, name_sealed=sealed, name_masked=masked, **after
    )
    if row is None:
        raise StaleVersion(headers={"ETag": etag(before.version + 1)})
    await _tell(uow, row)
    detail = {"changed": ",".join(changed)}
    await uow.audit("person.changed", object_type=TABLE, object_id=person_id, unit=row.unit, detail=detail)
    return row


async def reveal_name(uow: Uow, principal: Principal, person_id: str, purpose: RevealPurpose) -> str:
    """The name in clear. Who asked, why and for whom goes to the audit log in the same transaction."""
    row = await find_person(uow, principal, person_id)
    try:
        return await uow.reveal(TABLE, person_id, "name", row.name_sealed, purpose=purpose.value)
    except Unreadable as error:
        raise PersonalDataDestroyed() from error


async def _tell(uow: Uow, row: Any) -> None:
    state = PersonState(person=row.id, unit=row.unit, post=row.post, active=row.active)
    await uow.emit(state, subject=row.id)
