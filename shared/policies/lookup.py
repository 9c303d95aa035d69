"""Which policy holds: the newest of the nearest unit above that has one."""

from collections.abc import Mapping
from typing import Any, Final, Generic

import sqlalchemy as sa

from shared.db.tables import policy
from shared.db.uow import Reads
from shared.policies.kinds import B, PolicyKind

_p = sa.bindparam
_later = policy.alias("later")

_IN_FORCE: Final = sa.select(policy.c.unit, policy.c.body).where(
    policy.c.kind == _p("kind"),
    policy.c.effective_from <= _p("at"),
    ~sa.exists(
        sa.select(_later.c.unit).where(
            _later.c.kind == policy.c.kind,
            _later.c.unit == policy.c.unit,
            _later.c.effective_from <= _p("at"),
            _later.c.effective_from > policy.c.effective_from,
        )
    ),
)
"""The newest row of each unit that has any."""


class Policies(Generic[B]):
    """The policies of a kind that hold at an instant, wherever in the tree."""

    def __init__(self, kind: PolicyKind[B], by_unit: Mapping[str, Any]) -> None:
        self._of_the_bank = kind.body()
        self._by_unit = {unit: kind.body.model_validate(body) for unit, body in by_unit.items()}

    def at(self, path: str) -> B:
        """The policy of the unit at ``path`` (``/hq/prov-gd/gz-001/``): its own, or that of the nearest unit above."""
        if self._by_unit:
            for unit in reversed(path.strip("/").split("/")):
                if (found := self._by_unit.get(unit)) is not None:
                    return found
        return self._of_the_bank

    def all(self) -> list[B]:
        """Every policy that holds somewhere; to bound a search before each unit's own decides."""
        return [self._of_the_bank, *self._by_unit.values()]


async def in_force(reads: Reads, kind: PolicyKind[B]) -> Policies[B]:
    """The policies of ``kind`` that hold now, by one query for the whole tree."""
    rows = await reads.all(_IN_FORCE, kind=kind.name, at=reads.now)
    return Policies(kind, {row.unit: row.body for row in rows})
