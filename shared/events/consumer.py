"""The consumer: a batch of one partition, its effects and its offset in one transaction.

If a batch fails it is run again event by event to find the culprit; the culprit is tried three times within seconds,
then its subject is parked. Trouble of the database or the bus is no event's fault: it is raised to the supervisor,
which probes and starts again; nothing is lost, as the offsets are ours.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from shared.bus.base import Batch, Bus, Position, Subscription, TopicPartition
from shared.clock import Clock
from shared.contracts.base import EventData
from shared.db.database import Database
from shared.db.errors import DatabaseUnavailable
from shared.db.statements import upsert
from shared.db.tables import inbox
from shared.db.uow import Uow
from shared.events import parking, positions
from shared.events.crash import crash
from shared.events.envelope import Event, Unreadable, decode
from shared.events.handlers import Handler, Projection, Reaction
from shared.events.reading import Reader
from shared.observability.logging import get_logger
from shared.observability.metrics import EventMetrics
from shared.observability.tracing import trace_of

log = get_logger("events")

LIMIT = 1_000
"""Records of a turn at most. A transaction has some ten round trips whatever its size."""
BRIEF = 8
"""Events whose effects are a matter of milliseconds."""
DUE_EVERY = 1.0
"""Seconds between two looks for what was parked and is due, while more records wait than a turn takes."""
TRIES = 3
TRY_PAUSE = 0.2

_RECEIVED = upsert(inbox, ["handler", "event_id"], None).returning(inbox.c.event_id)


class _Done(NamedTuple):
    """What a committed batch did: the events that were read and had their effects, and how many others there were."""

    events: list[Event[EventData]]
    superseded: int
    skipped: int
    dead: int


class Consumer:
    """One service's member of its group."""

    def __init__(
        self, service: str, db: Database, bus: Bus, handlers: Sequence[Handler], metrics: EventMetrics, clock: Clock
    ) -> None:
        self._service = service
        self._clock = clock
        self._db = db
        self._bus = bus
        # Decoded data is of exactly the declared class; a set of classes is asked at a tenth of the cost of isinstance,
        # which goes through the models' metaclass.
        self._handlers = tuple((handler, frozenset(handler.kinds)) for handler in handlers)
        self._reader = Reader(handlers)
        self.topics = tuple(sorted({kind.topic for kind in self._reader.kinds.values()}))
        self._metrics = metrics
        self._subscription: Subscription | None = None
        self._rejoin = False
        self._looked = 0.0

    async def start(self) -> None:
        """Join the group and go to the stored offsets."""
        self._subscription = await self._bus.subscribe(self._service, self.topics, self._positions)

    async def stop(self) -> None:
        """Leave the group."""
        if self._subscription is not None:
            await self._subscription.close()
            self._subscription = None

    def rejoin(self) -> None:
        """Go to the stored offsets again at the next turn: somebody has set them."""
        self._rejoin = True

    async def turn(self, wait: float = 0.0) -> int:
        """Handle what is there, then what was parked and is due; returns how many records were taken."""
        if self._subscription is None:
            await self.start()
        subscription = self._subscription
        assert subscription is not None  # nosec B101 # noqa: S101 - start() has just made it
        if self._rejoin:
            self._rejoin = False
            subscription.rewind()
        taken = 0
        try:
            for batch in await subscription.fetch(limit=LIMIT, wait=wait):
                taken += len(batch.records)
                await self._handle(batch)
                crash("consumer:after-commit")
                await subscription.done(batch.source, batch.records[-1].offset + 1)
        except BaseException:
            # The positions in memory may be past what had its effect: forget them, and go on from the stored ones.
            subscription.rewind()
            raise
        now = asyncio.get_running_loop().time()
        if taken < LIMIT or now - self._looked >= DUE_EVERY:
            self._looked = now
            taken += await self.retry_due()
        return taken

    async def _positions(self, sources: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return await self._db.read(lambda reads: positions.stored(reads, sources))

    async def _handle(self, batch: Batch) -> None:
        try:
            await self._commit(batch)
        except (DatabaseUnavailable, positions.OffsetMoved):
            raise
        except Exception as error:
            log.warning("batch_failed", topic=batch.source.topic, count=len(batch.records), error=type(error).__name__)
            start = batch.start
            for record in batch.records:
                await self._handle_one(replace(batch, start=start, records=[record]))
                start = record.offset + 1

    async def _handle_one(self, batch: Batch) -> None:
        record = batch.records[0]
        error: Exception
        for attempt in range(TRIES):
            try:
                await self._commit(batch)
            except (DatabaseUnavailable, positions.OffsetMoved):
                raise
            except Exception as raised:
                error = raised
                await asyncio.sleep(TRY_PAUSE * 2**attempt)
            else:
                return
        code = parking.error_code(error)

        async def park(uow: Uow) -> None:
            await positions.advance(uow, batch)
            await parking.park(uow, batch.source, record, code)

        await self._db.write(park, actor=self._service)
        self._metrics.parked(self._service)
        log.error(
            "subject_parked", type=record.headers.get("ce_type"), subject=record.headers.get("ce_subject"), code=code
        )

    async def _commit(self, batch: Batch) -> None:
        """The batch's effects and its offset, and only then the figures about them."""
        brief = len(batch.records) <= BRIEF
        done = await self._db.write(lambda uow: self._apply(uow, batch), actor=self._service, brief=brief)
        self._metrics.consumed(self._service, handled=len(done.events) + done.superseded, skipped=done.skipped)
        for _ in range(done.dead):
            self._metrics.dead(self._service)
        now = self._clock.now()
        live = [(now - event.recordedtime).total_seconds() for event in done.events if event.origin == "live"]
        if live:
            self._metrics.delayed(self._service, live)

    async def _apply(self, uow: Uow, batch: Batch) -> _Done:
        records = batch.records
        await positions.advance(uow, batch)
        read = self._reader.read(records)
        readable = read.readable
        parked = await parking.parked_among(uow, [event.subject for _, event in readable])
        if parked:
            # Whatever is told of a parked subject waits, also what a newer event supersedes.
            read = self._reader.read(records, every=True)
            behind = [record for record, event in read.readable if event.subject in parked]
            await parking.queue_behind(uow, batch.source, behind)
            readable = [pair for pair in read.readable if pair[1].subject not in parked]
        for record, code in read.dead:
            await parking.bury(uow, batch.source, record, code)
        events = [event for _, event in readable]
        await self._effects(uow, events)
        crash("consumer:inside-batch")
        return _Done(events, read.superseded, read.skipped, len(read.dead))

    async def _effects(self, uow: Uow, events: Sequence[Event[EventData]]) -> None:
        for handler, kinds in self._handlers:
            mine = [event for event in events if type(event.data) in kinds]
            if not mine:
                continue
            start = time.perf_counter()
            if isinstance(handler, Projection):
                await handler.apply(uow, mine)
            else:
                for event in mine:
                    await self._react(uow, handler, event)
            self._metrics.handler_took(self._service, handler.name, time.perf_counter() - start)

    async def _react(self, uow: Uow, handler: Reaction, event: Event[EventData]) -> None:
        if event.origin != "live" or uow.now - event.time > handler.max_age:
            return
        if await uow.one(_RECEIVED, handler=handler.name, event_id=event.id, handled_at=uow.now) is None:
            return
        with trace_of(event.traceparent):
            await handler.apply(uow, event)

    async def retry_due(self) -> int:
        """Try parked subjects that are due, each from its oldest event on; returns how many events went through."""
        done = 0
        for subject in await self._db.read(parking.due):
            while await self._retry_one(subject):
                done += 1
        return done

    async def _retry_one(self, subject: str) -> bool:
        failure: Exception | None = None

        async def again(uow: Uow) -> bool:
            row = await parking.oldest(uow, subject)
            if row is None:
                return False
            _, record = parking.as_record(row)
            kind = self._reader.kinds.get(row.type)
            if kind is not None:
                try:
                    event = decode(record.headers, record.value, kind)
                except Unreadable as error:
                    # Asked for by a person, and still not readable: it goes back to the dead and blocks nobody.
                    await parking.bury_again(uow, row, error.code)
                    return True
                await self._effects(uow, [event])
            await parking.finish(uow, row.id, "done")
            return True

        try:
            return await self._db.write(again, actor=self._service)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            failure = error
        code = parking.error_code(failure)

        async def later(uow: Uow) -> None:
            row = await parking.oldest(uow, subject)
            if row is not None:
                await parking.failed_again(uow, row, code)

        await self._db.write(later, actor=self._service)
        return False
