"""The relay: what the outbox holds reaches the bus, in order per subject, at least once.

One relay per service database holds the lease row. It reads *unpublished* rows and never "seq greater than the last",
since a sequence number is taken before its commit. A relay that lost its lease unnoticed can only send again. A failed
send stops that subject, not the batch.

The lease is short, so that a killed relay is soon followed, and renewed while a send takes its time; a relay that stops
in order gives it back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import sqlalchemy as sa

from shared.bus.base import Bus, BusForbidden, Message
from shared.db.database import Database
from shared.db.errors import DatabaseError
from shared.db.statements import Row, upsert
from shared.db.tables import lease, outbox
from shared.db.types import any_of
from shared.db.uow import Reads, Uow
from shared.events.crash import crash
from shared.ids import uuid7
from shared.observability.metrics import EventMetrics

BATCH = 500
BRIEF = 64
"""Rows that are marked within a millisecond."""
LEASE = timedelta(seconds=5)
RENEW = 1.5
"""Seconds of a send after which the lease is renewed, and so on: two renewals may fail before it runs out."""

_p = sa.bindparam
_PENDING = (
    sa.select(outbox.c.seq, outbox.c.topic, outbox.c.subject, outbox.c.headers, outbox.c.payload)
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.seq)
    .limit(_p("most", type_=sa.Integer))
)
_MARK = sa.update(outbox).where(any_of(outbox.c.seq, "sent")).values(published_at=_p("at"))
_LEASE = upsert(
    lease, ["name"], ["owner", "until"], where=lambda old, new: sa.or_(old.owner == new.owner, old.until < _p("now"))
).returning(lease.c.owner)
_GIVE_BACK = sa.delete(lease).where(lease.c.name == _p("name"), lease.c.owner == _p("owner"))
_BACKLOG = sa.select(sa.func.count().label("waiting"), sa.func.min(outbox.c.created_at).label("oldest")).where(
    outbox.c.published_at.is_(None)
)


class Relay:
    """Moves one service's outbox to the bus.

    ``owner`` names the holder of the lease: a new name, unless no other relay can have it, as in a locked data folder
    or where each worker has a name of its own. There the process that follows a killed one is the same owner and need
    not wait for its lease to run out.
    """

    def __init__(
        self, service: str, db: Database, bus: Bus, metrics: EventMetrics, *, owner: str | None = None
    ) -> None:
        self._service = service
        self._db = db
        self._bus = bus
        self._metrics = metrics
        self._owner = owner or uuid7()
        self._held = False

    async def turn(self) -> int:
        """Send one batch; returns how many events reached the bus (0 also when another relay holds the lease)."""
        rows = await self._db.read(self._pending)
        if not rows or not await self._db.write(self._take_lease, actor="relay", brief=True):
            return 0
        crash("relay:before-send")
        messages = [Message(row.topic, row.subject, row.headers, row.payload) for row in rows]
        async with self._renewing():
            outcomes = await self._bus.publish(messages)
        crash("relay:after-send")
        failed: set[str] = set()
        sent: list[int] = []
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is not None or row.subject in failed:
                failed.add(row.subject)
            else:
                sent.append(row.seq)
        if sent:
            await self._db.write(lambda uow: self._mark(uow, sent), actor="relay", brief=len(sent) <= BRIEF)
            crash("relay:after-mark")
        self._metrics.relayed(self._service, len(sent), len(rows) - len(sent))
        refused = next((outcome for outcome in outcomes if isinstance(outcome, BusForbidden)), None)
        if refused is not None:
            # The others have gone; but this one will be refused again and again until somebody sees it.
            raise refused
        if failed and not sent:
            raise next(outcome for outcome in outcomes if outcome is not None)
        return len(sent)

    async def leave(self) -> None:
        """Give the lease back, so that another relay need not wait for its end."""
        if self._held:
            self._held = False
            await self._db.write(self._give_back, actor="relay")

    @asynccontextmanager
    async def _renewing(self) -> AsyncIterator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW)
                try:
                    await self._db.write(self._take_lease, actor="relay")
                except DatabaseError:
                    continue  # nobody else can take it from a database that does not answer

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})

    async def backlog(self) -> Row:
        """How many events wait, and since when the oldest does."""
        return await self._db.read(lambda reads: reads.one(_BACKLOG))

    @staticmethod
    async def _pending(reads: Reads) -> list[Row]:
        return await reads.all(_PENDING, most=BATCH)

    async def _take_lease(self, uow: Uow) -> bool:
        owner = await uow.scalar(
            _LEASE, name=f"relay:{self._service}", owner=self._owner, until=uow.now + LEASE, now=uow.now
        )
        self._held = bool(owner == self._owner)
        return self._held

    async def _give_back(self, uow: Uow) -> None:
        await uow.write(_GIVE_BACK, name=f"relay:{self._service}", owner=self._owner)

    @staticmethod
    async def _mark(uow: Uow, sent: list[int]) -> None:
        await uow.write(_MARK, sent=sent, at=uow.now)
        crash("relay:inside-mark")
