"""Routes of qualifications."""

from services.staff.auth import GrantQualifications, ReadPeople, RevealPeople
from services.staff.people.schemas import RevealRequest
from services.staff.people.service import find_person
from services.staff.qualifications import queries, service
from services.staff.qualifications.schemas import (
    Qualification,
    QualificationGrant,
    QualificationRevocation,
    RevealedReason,
)
from shared.db.uow import Reads, Uow
from shared.web.fields import PathId
from shared.web.paging import Page, Paging, page
from shared.web.routing import NOT_KEPT, ServiceRouter

router = ServiceRouter("staff", "qualifications")


@router.get("/people/{person}/qualifications")
async def list_qualifications(reads: Reads, caller: ReadPeople, person: PathId, asked: Paging) -> Page[Qualification]:
    """The qualifications of a person in the order they were granted, expired and revoked ones included."""
    await find_person(reads, caller, person)
    rows = await reads.all(queries.LIST, person=person, after=asked.after, limit=asked.fetch)
    return Page[Qualification](**page(asked, rows, lambda row: row.id, lambda row: Qualification.of(row, reads.now)))


@router.post("/people/{person}/qualifications", status_code=201)
async def grant_qualification(
    uow: Uow, caller: GrantQualifications, person: PathId, command: QualificationGrant
) -> Qualification:
    """Grant a person a qualification; never oneself."""
    row = await service.grant(uow, caller, person, command)
    uow.headers["Location"] = f"/staff/v1/people/{person}/qualifications/{row.id}"
    return Qualification.of(row, uow.now)


@router.post("/people/{person}/qualifications/{qualification}/revoke")
async def revoke_qualification(
    uow: Uow, caller: GrantQualifications, person: PathId, qualification: PathId, command: QualificationRevocation
) -> Qualification:
    """Take a qualification back from now on."""
    row = await service.revoke(uow, caller, person, qualification, command.reason)
    return Qualification.of(row, uow.now)


@router.post("/people/{person}/qualifications/{qualification}/reveal", openapi_extra=NOT_KEPT)
async def reveal_revocation_reason(
    uow: Uow, caller: RevealPeople, person: PathId, qualification: PathId, command: RevealRequest
) -> RevealedReason:
    """Why a qualification was revoked, in clear, for a purpose; each call is logged."""
    reason = await service.reveal_reason(uow, caller, person, qualification, command.purpose)
    return RevealedReason(id=qualification, reason=reason)
