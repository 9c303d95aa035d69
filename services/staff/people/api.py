"""Routes of people."""

from services.staff.auth import ReadPeople, RevealPeople, WritePeople
from services.staff.organisation.service import find_unit, roots_of
from services.staff.people import queries, service
from services.staff.people.schemas import NewPerson, Person, PersonChange, RevealedName, RevealRequest
from shared.db.uow import Reads, Uow
from shared.web.etags import IfMatch, etag
from shared.web.fields import PathId, QueryUnit
from shared.web.paging import Page, Paging, page
from shared.web.routing import NOT_KEPT, ServiceRouter

router = ServiceRouter("staff", "people")


@router.get("/people")
async def list_people(reads: Reads, caller: ReadPeople, asked: Paging, unit: QueryUnit | None = None) -> Page[Person]:
    """The people of a unit and of all units below it, by id; of the caller's whole tree if no unit is named."""
    if unit is None:
        roots = await roots_of(reads, caller)
    else:
        await find_unit(reads, caller, unit)
        roots = [unit]
    rows = await reads.all(queries.LIST, roots=roots, after=asked.after, limit=asked.fetch)
    return Page[Person](**page(asked, rows, lambda row: row.id, Person.of))


@router.post("/people", status_code=201)
async def create_person(uow: Uow, caller: WritePeople, command: NewPerson) -> Person:
    """Create a member of staff in a unit."""
    row = await service.create_person(uow, caller, command)
    uow.headers |= {"Location": f"/staff/v1/people/{row.id}", "ETag": etag(row.version)}
    return Person.of(row)


@router.get("/people/{person}")
async def get_person(reads: Reads, caller: ReadPeople, person: PathId) -> Person:
    """One member of staff; the name is masked."""
    row = await service.find_person(reads, caller, person)
    reads.headers["ETag"] = etag(row.version)
    return Person.of(row)


@router.patch("/people/{person}")
async def change_person(
    uow: Uow, caller: WritePeople, person: PathId, change: PersonChange, if_match: IfMatch = None
) -> Person:
    """Change a person's post, unit, activity or name."""
    row = await service.change_person(uow, caller, person, change, if_match)
    uow.headers["ETag"] = etag(row.version)
    return Person.of(row)


@router.post("/people/{person}/reveal", openapi_extra=NOT_KEPT)
async def reveal_name(uow: Uow, caller: RevealPeople, person: PathId, command: RevealRequest) -> RevealedName:
    """The name in clear, for a purpose; each call is logged, and its reply is kept nowhere."""
    return RevealedName(id=person, name=await service.reveal_name(uow, caller, person, command.purpose))
