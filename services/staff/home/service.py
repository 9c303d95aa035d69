"""Who is to be signed in: anybody of the bank in a development system, else whom the identity server vouches for."""

from services.staff.home import queries
from services.staff.home.errors import NoSuchPersona
from services.staff.home.rules import POSTS, Claimed, Persona, offered
from shared.db.uow import Reads
from shared.security.principal import Principal
from shared.web.oidc import SignInRefused


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


async def seat(reads: Reads, who: Claimed) -> Principal:
    """The session's principal. Raises :class:`SignInRefused`.

    Whoever is named as a member of staff must be one of ours and active. Where the identity server says nothing of
    roles or units, post and unit of the person count.
    """
    roles, units = who.roles, who.units
    if who.staff is not None:
        row = await reads.one(queries.PERSON, person=who.staff)
        if row is None or not row.active:
            raise SignInRefused("unknown_person")
        roles = roles or frozenset({row.post}) & POSTS
        units = units or (row.unit,)
    if not roles:
        raise SignInRefused("no_role")
    if not units:
        raise SignInRefused("no_unit")
    return Principal(who.staff or who.sub, who.staff, roles, units)
