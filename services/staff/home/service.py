"""The development sign-in: any person of the example bank, without a password; embedded mode only."""

from services.staff.home import queries
from services.staff.home.errors import NoSuchPersona
from services.staff.home.rules import POSTS, Persona, offered
from shared.db.uow import Reads


async def persona(reads: Reads, role: str, unit: str, staff: str | None) -> Persona:
    """Who is to be signed in; :class:`NoSuchPersona` unless the organisation knows the person or the unit."""
    if staff is not None:
        row = await reads.one(queries.PERSON, person=staff)
        if row is None or not row.active or row.post not in POSTS:
            raise NoSuchPersona
        return Persona(row.post, row.id, row.unit)
    row = await reads.one(queries.UNIT, unit=unit)
    if row is None or not offered(role, unit_kind=row.kind):
        raise NoSuchPersona
    return Persona(role, None, row.id)
