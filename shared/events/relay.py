"""The relay: what the outbox holds reaches the bus, in order per subject, at least once.

One relay per service database holds the lease row. It reads *unpublished* rows and never "seq greater than the last",
since a sequence number is taken before its commit. A relay that lost its lease unnoticed can only send again. A failed
send stops that subject, not the batch, and where it fills the batch with all that waits behind it, not the turn: the
relay looks past it.

The lease is short, so that a killed relay is soon followed, and renewed while a send takes its time; a relay that stops
in order gives it back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

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
LOOK_FURTHER = 20
LOOK_FOR = 30.0
"""Batches, and seconds, of one turn that look past subjects whose events are not taken; with the longest send less than
a loop may take without saying that it turns."""

_p = sa.bindparam
_PENDING = (
    sa.select(outbox.c.seq, outbox.c.topic, outbox.c.subject, outbox.c.headers, outbox.c.payload)
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.seq)
    .limit(_p("most", type_=sa.Integer))
)
_PENDING_BEYOND = _PENDING.where(sa.not_(any_of(outbox.c.subject, "held")))
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
        """Send what waits, a batch, or more where some of it is not taken; returns how many events reached the bus
        (0 also when another relay holds the lease)."""
        loop = asyncio.get_running_loop()
        begun, total, held = loop.time(), 0, set[str]()
        trouble: Exception | None = None
        for _ in range(LOOK_FURTHER):
            rows = await self._db.read(partial(self._pending, held=sorted(held)))
            if not rows or not await self._db.write(self._take_lease, actor="relay", brief=True):
                break
            sent, failed = await self._send(rows)
            total += len(sent)
            held |= failed.keys()
            # A missing right is told first: the others have gone, but this one waits for somebody to see it.
            causes = [*filter(None, [trouble]), *failed.values()]
            trouble = next((cause for cause in causes if isinstance(cause, BusForbidden)), next(iter(causes), None))
            if not held or len(rows) < BATCH or loop.time() - begun > LOOK_FOR:
                break
        if trouble is not None and (not total or isinstance(trouble, BusForbidden)):
            raise trouble
        return total

    async def _send(self, rows: list[Row]) -> tuple[list[int], dict[str, Exception]]:
        """Send a batch; the rows that are on the bus now, and why the others' subjects are held up."""
        crash("relay:before-send")
        messages = [Message(row.topic, row.subject, row.headers, row.payload) for row in rows]
        async with self._renewing():
            outcomes = await self._bus.publish(messages)
        crash("relay:after-send")
        failed: dict[str, Exception] = {}
        sent: list[int] = []
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is not None:
                failed.setdefault(row.subject, outcome)
            elif row.subject not in failed:
                sent.append(row.seq)
        if sent:
            await self._db.write(lambda uow: self._mark(uow, sent), actor="relay", brief=len(sent) <= BRIEF)
            crash("relay:after-mark")
        self._metrics.relayed(self._service, len(sent), len(rows) - len(sent))
        return sent, failed

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
    async def _pending(reads: Reads, held: list[str]) -> list[Row]:
        if not held:
            return await reads.all(_PENDING, most=BATCH)
        return await reads.all(_PENDING_BEYOND, most=BATCH, held=held)

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
