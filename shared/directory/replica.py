"""What a service asks its replica of the organisation; staff itself may be down meanwhile."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.db.types import any_of
from shared.db.uow import Reads
from shared.directory.business_day import business_date
from shared.directory.tables import dir_person, dir_qualification, dir_unit
from shared.security.access import covers
from shared.security.principal import Principal
from shared.web.problems import NotFound, Problem, ReferenceNotYetKnown

AFTER_ANY_ID: Final = "~"
"""Sorts after every character of an id: what begins with ``/hq/`` lies between ``/hq/`` and ``/hq/~``."""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit (机构) of the replica; ``path`` lists the ids from the root, ``/hq/prov-gd/gz-001/``."""

    id: str
    path: str
    kind: str
    zone: str
    cutoff: str
    valid_from: datetime
    valid_to: datetime | None

    def business_date(self, at: datetime) -> date:
        """The unit's business day (营业日) at the instant ``at``."""
        return business_date(at, self.zone, self.cutoff)

    def in_force(self, at: datetime) -> bool:
        """Whether the unit exists at ``at``: opened, and not yet closed for good."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A member of staff (员工) of the replica."""

    id: str
    unit: str
    post: str
    active: bool


_p, _u, _q = sa.bindparam, dir_unit.c, dir_qualification.c
_UNIT_COLUMNS = (_u.unit.label("id"), _u.path, _u.kind, _u.zone, _u.cutoff, _u.valid_from, _u.valid_to)
_UNIT: Final = sa.select(*_UNIT_COLUMNS).where(_u.unit == _p("unit"))
_SUBTREE: Final = (
    sa.select(*_UNIT_COLUMNS).where(_u.path >= _p("first"), _u.path < _p("last")).order_by(_u.path).limit(_p("limit"))
)
_PERSON: Final = sa.select(
    dir_person.c.person.label("id"), dir_person.c.unit, dir_person.c.post, dir_person.c.active
).where(dir_person.c.person == _p("person"))
_HELD: Final = (
    sa.select(_q.code)
    .distinct()
    .where(
        _q.person == _p("person"),
        any_of(_q.code, "codes"),
        _q.valid_from <= _p("at"),
        _q.valid_to > _p("at"),
        sa.or_(_q.revoked_at.is_(None), _q.revoked_at > _p("at")),
    )
)

MAX_SUBTREE: Final = 100_000
"""More units than the largest bank has; a bound all the same."""


def _unit_row(row: Any) -> UnitRow:
    return UnitRow(*row)


async def unit(reads: Reads, unit_id: str) -> UnitRow:
    """The unit, without asking who wants to know. Raises 409 ``reference_not_yet_known`` if it is not here."""
    row = await reads.one(_UNIT, unit=unit_id)
    if row is None:
        raise ReferenceNotYetKnown("unit", unit_id)
    return _unit_row(row)


async def branch(reads: Reads, principal: Principal, unit_id: str) -> UnitRow:
    """The unit, if it lies in the caller's part of the tree.

    Raises 409 ``reference_not_yet_known`` for a unit not heard of yet, and 404 for one outside the caller's tree: what
    belongs to another unit is not told apart from what does not exist.
    """
    found = await unit(reads, unit_id)
    if not covers(principal, found.path):
        raise NotFound()
    return found


class UnitNotInForce(Problem):
    """The unit is not open yet, or closed for good."""

    status = 409
    code = "unit_not_in_force"
    title_zh = "该机构尚未开业或已撤并"
    title_en = "The unit is not open yet or was closed for good"


def require_in_force(unit: UnitRow, at: datetime) -> None:
    """Refuse new business at a unit outside of its period: 409 ``unit_not_in_force``."""
    if not unit.in_force(at):
        raise UnitNotInForce(unit=unit.id)


async def subtree(reads: Reads, principal: Principal, unit_id: str) -> list[UnitRow]:
    """The unit and everything below it, parents before children; refusals as for :func:`branch`."""
    top = await branch(reads, principal, unit_id)
    rows = await reads.all(_SUBTREE, first=top.path, last=top.path + AFTER_ANY_ID, limit=MAX_SUBTREE)
    return [_unit_row(row) for row in rows]


async def person(reads: Reads, staff_id: str) -> PersonRow:
    """The member of staff. Raises 409 ``reference_not_yet_known`` if the person is not here."""
    row = await reads.one(_PERSON, person=staff_id)
    if row is None:
        raise ReferenceNotYetKnown("person", staff_id)
    return PersonRow(*row)


async def qualified(reads: Reads, staff_id: str, codes: Collection[str], at: datetime) -> frozenset[str]:
    """Which of ``codes`` the person does *not* hold at ``at``; empty when qualified for all (持证上岗).

    INVARIANT: a qualification counts when ``valid_from <= at < valid_to`` and it was not revoked by then,
    by our clock, so that an expiry needs no event (proven by test_a_qualification_ends_by_the_clock_alone).
    """
    if not codes:
        return frozenset()
    held = await reads.all(_HELD, person=staff_id, codes=sorted(codes), at=at)
    return frozenset(codes) - {row.code for row in held}
