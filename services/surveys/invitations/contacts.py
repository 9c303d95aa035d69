"""Claim check: did the customer leave a contact? Queue keeps it; here only the fact is stored (索取联系方式).

Asked outside any unit of work, one visit after the other; an owner that does not answer is asked again later, by a
time kept in the row.
"""

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from services.surveys.invitations import queries, rules
from services.surveys.invitations.links import PURPOSE
from services.surveys.invitations.models import Invitation
from services.surveys.invitations.rules import Delivery
from shared.db.statements import Row, table
from shared.db.uow import Reads, Uow
from shared.spec import Turn
from shared.web.client import PeerUnavailable

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

BATCH = 50
ACTOR = "surveys.contacts"

_p = sa.bindparam
_invitation = table(Invitation)
_undecided = sa.update(_invitation).where(
    _invitation.c.id == _p("of_id"), _invitation.c.delivery == Delivery.UNKNOWN.value
)
_DECIDE = _undecided.values(delivery=_p("decided"))
_POSTPONE = _undecided.values(contact_tries=_p("tries"), contact_next_try=_p("next_try"))


def make_turn(runtime: "ServiceRuntime") -> Turn:
    """The loop's turn: ask for a batch of visits, store what was learnt; returns how many were decided."""

    async def turn() -> int:
        rows = await runtime.db.read(_due)
        decided, failed = await _ask(runtime, rows)
        if not decided and failed is None:
            return 0

        async def store(uow: Uow) -> int:
            await uow.many(_DECIDE, [{"of_id": found, "decided": how.value} for found, how in decided.items()])
            if failed is not None:
                await _postpone(uow, failed, uow.now)
            return len(decided)

        return await runtime.db.write(store, actor=ACTOR)

    return turn


async def _due(reads: Reads) -> list[Row]:
    return await reads.all(queries.UNASKED, at=reads.now, limit=BATCH)


async def _ask(runtime: "ServiceRuntime", rows: list[Row]) -> tuple[dict[str, Delivery], Row | None]:
    """What queue says by invitation, and the first one it had no answer for: the rest can wait for the next turn."""
    decided: dict[str, Delivery] = {}
    for row in rows:
        if runtime.peers is None:
            return decided, row
        try:
            answer = await runtime.peers.get(f"/queue/v1/visits/{row.visit}/contact", purpose=PURPOSE)
        except PeerUnavailable:
            return decided, row
        decided[row.id] = rules.delivery_of(answer)
    return decided, None


async def _postpone(uow: Uow, row: Row, now: datetime) -> None:
    tries = row.contact_tries + 1
    await uow.write(_POSTPONE, of_id=row.id, tries=tries, next_try=now + rules.retry_after(tries))
