"""Use cases of qualifications. Each change is audited and told as the qualification's full state."""

from typing import Any, Final

from services.staff.organisation.service import claim
from services.staff.people import queries as people_queries
from services.staff.people.errors import PersonalDataDestroyed
from services.staff.people.rules import RevealPurpose
from services.staff.people.service import find_person
from services.staff.qualifications import queries
from services.staff.qualifications.errors import GrantedAlready, OwnQualification
from services.staff.qualifications.rules import QualificationStatus
from services.staff.qualifications.schemas import QualificationGrant
from shared.contracts.staff import QualificationState
from shared.db.statements import Row
from shared.db.uow import Uow
from shared.ids import uuid7
from shared.security.envelope import Unreadable
from shared.security.principal import Principal
from shared.web.problems import IllegalTransition, NotFound

TABLE: Final = queries.QUALIFICATIONS.name
_REASON: Final = "revoke_reason"


async def grant(uow: Uow, principal: Principal, person_id: str, command: QualificationGrant) -> Row:
    """Grant a person of the caller's tree a qualification (授予).

    INVARIANT: nobody grants themselves a qualification (proven by test_granting_oneself_is_refused).
    """
    # The person's row is locked, so that of two equal grants at once one sees the other.
    person = await find_person(uow, principal, person_id, people_queries.LOCK)
    if principal.staff_id == person_id:
        raise OwnQualification()
    same = await uow.scalar(queries.SAME, person=person_id, code=command.code, valid_from=command.valid_from)
    if same is not None:
        raise GrantedAlready(same)
    qualification = uuid7()
    await claim(uow, qualification, "qualification")
    row = await uow.one(
        queries.ADD,
        id=qualification,
        person=person_id,
        code=command.code,
        valid_from=command.valid_from,
        valid_to=command.valid_to,
        evidence_ref=command.evidence_ref,
        granted_by=uow.actor,
        granted_at=uow.now,
        revoked_by=None,
        revoked_at=None,
        revoke_reason_sealed=None,
        version=1,
    )
    await _tell(uow, row, person.unit, "qualification.granted")
    return row


async def revoke(uow: Uow, principal: Principal, person_id: str, qualification: str, reason: str) -> Row:
    """Take a qualification back from now on (撤销); 409 if that has been done."""
    person = await find_person(uow, principal, person_id)
    before = await uow.one(queries.LOCK, id=qualification, person=person_id)
    if before is None:
        raise NotFound()
    if before.revoked_at is not None:
        raise IllegalTransition(state=QualificationStatus.REVOKED, allowed=[])
    row = await uow.one(
        queries.REVOKE,
        of=qualification,
        revoked_at=uow.now,
        revoked_by=uow.actor,
        revoke_reason_sealed=await uow.seal(TABLE, qualification, _REASON, reason),
    )
    await _tell(uow, row, person.unit, "qualification.revoked")
    return row


async def reveal_reason(
    uow: Uow, principal: Principal, person_id: str, qualification: str, purpose: RevealPurpose
) -> str | None:
    """Why a qualification was revoked, in clear; logged. None while it is not revoked."""
    await find_person(uow, principal, person_id)
    row = await uow.one(queries.FIND, id=qualification, person=person_id)
    if row is None:
        raise NotFound()
    if row.revoke_reason_sealed is None:
        return None
    try:
        return await uow.reveal(TABLE, qualification, _REASON, row.revoke_reason_sealed, purpose=purpose.value)
    except Unreadable as error:
        raise PersonalDataDestroyed() from error


async def _tell(uow: Uow, row: Any, unit: str, action: str) -> None:
    state = QualificationState(
        qualification=row.id,
        person=row.person,
        code=row.code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
    )
    await uow.emit(state, subject=row.id)
    detail = {"person": row.person, "code": row.code}
    await uow.audit(action, object_type=TABLE, object_id=row.id, unit=unit, detail=detail)
