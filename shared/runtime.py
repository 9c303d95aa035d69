"""A service at work: its database, relay, consumer and loops, opened and closed by the application's lifespan."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from shared.bus.base import Bus, BusForbidden, BusUnavailable, LogChanged
from shared.clock import Clock
from shared.db.database import Database
from shared.db.errors import DatabaseUnavailable
from shared.db.migrate import applied
from shared.db.statements import Row
from shared.db.uow import Reads
from shared.events import parking, positions
from shared.events.consumer import Consumer
from shared.events.housekeeping import Housekeeping
from shared.events.positions import OffsetMoved
from shared.events.reach import EVERY as LOOK_EVERY
from shared.events.reach import Reach
from shared.events.relay import Relay
from shared.observability.health import Loops
from shared.observability.logging import get_logger
from shared.observability.metrics import EventMetrics
from shared.security.audit_log import Sealer
from shared.security.keyring import Keyring
from shared.settings import Settings
from shared.spec import ServiceSpec, Turn
from shared.web.client import Peers
from shared.web.live import POLL, Live

log = get_logger("runtime")

REST_AFTER_TROUBLE = 1.0
CONSUME_WAIT = 0.5


class ServiceRuntime:
    """One service in this process."""

    def __init__(
        self,
        spec: ServiceSpec,
        settings: Settings,
        clock: Clock,
        db: Database,
        bus: Bus,
        metrics: EventMetrics,
        loops: Loops,
        keyring: Keyring,
        sealer: Sealer,
    ) -> None:
        self.spec = spec
        self.settings = settings
        self.clock = clock
        self.db = db
        self.bus = bus
        self.metrics = metrics
        self.keyring = keyring
        self.peers: Peers | None = None
        # The lock on the data folder, or the worker's own name, makes this the only process: it goes on where a killed
        # one left off.
        owner = spec.name if settings.mode == "embedded" else settings.kafka_instance or None
        self.relay = Relay(spec.name, db, bus, metrics, owner=owner)
        self.consumer = Consumer(spec.name, db, bus, spec.all_handlers, metrics, clock) if spec.all_handlers else None
        self.sealer = sealer
        self.stopped: LogChanged | None = None
        """Why the consumer stands still: the log under its offsets is not the one it knew."""
        self.failing: dict[str, str] = {}
        """Loops whose last turn failed by a fault of ours (not by trouble outside), and with what."""
        self.forbidden: dict[str, BusForbidden] = {}
        """Loops that the bus refused at their last turn: rights are missing."""
        self._running: set[str] = set()
        self._loops = loops
        self._wake_relay = asyncio.Event()
        self._turns: dict[str, Turn] = {loop.name: loop.make(self) for loop in spec.loops}
        self._housekeeping = Housekeeping(db, settings)
        self.live = Live(db, clock)
        self._wake_live = asyncio.Event()
        db.context.after_emit += [self._wake_relay.set, self._wake_live.set]

    @property
    def name(self) -> str:
        """The service's name."""
        return self.spec.name

    def tasks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """The loops that this process's roles ask for, by name."""
        roles = self.settings.roles
        found: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        if "api" in roles and self.spec.pages:
            found.append((f"{self.name}.live", lambda: self._loop("live", self.live.turn, POLL, self._wake_live)))
        if "api" in roles and self.consumer is not None and self.settings.mode == "distributed":
            # In embedded mode the consumer is in this very process, and sees all there is.
            reach = Reach(self.name, self.db, self.bus, self.consumer.topics)
            found.append((f"{self.name}.reach", partial(self._loop, "reach", reach.turn, LOOK_EVERY)))
        if "relay" in roles:
            found.append((f"{self.name}.relay", self._relay_loop))
            found.append((f"{self.name}.seal", lambda: self._loop("seal", self.sealer.turn, 1.0)))
            found.append(
                (f"{self.name}.housekeeping", lambda: self._loop("housekeeping", self._housekeeping.turn, 300.0))
            )
        if "consume" in roles and self.consumer is not None:
            found.append((f"{self.name}.consume", self._consume_loop))
        if "timers" in roles:
            for spec in self.spec.loops:
                turn = self._turns[spec.name]
                found.append((f"{self.name}.{spec.name}", partial(self._loop, spec.name, turn, spec.interval)))
        return found

    async def settle(self) -> int:
        """Turn every loop until none has anything left to do, for tests and one-shot commands; the work done."""
        total = 0
        while True:
            done = await self.relay.turn()
            if self.consumer is not None:
                done += await self.consumer.turn()
            for turn in self._turns.values():
                done += await turn()
            if not done:
                return total
            total += done

    async def ready(self) -> None:
        """Raises when the database does not answer or lacks this build's revisions."""
        if not await applied(self.db, self.spec.migrations):
            raise DatabaseUnavailable("migrations are missing")

    async def allowed(self) -> None:
        """Raises :class:`BusForbidden` while the bus refuses one of this process's loops."""
        for refusal in self.forbidden.values():
            raise refusal

    async def report(self) -> None:
        """Set the gauges of outbox, lag and parking; asked at each scrape."""

        async def ask(reads: Reads) -> tuple[Sequence[Row], tuple[int, int]]:
            return await positions.lags(reads), await parking.depth(reads)

        self._report_loops()
        lags, (parked, dead) = await self.db.read(ask)
        backlog = await self.relay.backlog()
        age = 0.0 if backlog.oldest is None else (self.clock.now() - backlog.oldest).total_seconds()
        self.metrics.backlog(self.name, backlog.waiting, age)
        self.metrics.waiting_now(self.name, parked, dead)
        for row in lags:
            self.metrics.lag(self.name, row.topic, row.partition, row.lag)

    def _report_loops(self) -> None:
        # Only what this process runs: the series of a worker that is gone must be missed, not shown as well.
        for loop in self._running:
            self.metrics.failing(self.name, loop, failing=loop in self.failing)
        if "consume" in self._running:
            self.metrics.stopped(self.name, stopped=self.stopped is not None)

    async def _relay_loop(self) -> None:
        await self._loop("relay", self.relay.turn, 0.25, self._wake_relay)

    async def _consume_loop(self) -> None:
        consumer = self.consumer
        assert consumer is not None  # nosec B101 # noqa: S101 - tasks() starts this loop only for a consumer

        async def turn() -> int:
            try:
                done = await consumer.turn(wait=CONSUME_WAIT)
            except OffsetMoved:
                return 1
            except LogChanged as changed:
                if self.stopped is None:
                    log.error(
                        "consumer_stopped", service=self.name, topic=changed.source.topic, code=type(changed).__name__
                    )
                self.stopped = changed
                await asyncio.sleep(REST_AFTER_TROUBLE)
                return 0
            self.stopped = None
            return done

        await self._loop("consume", turn, 0.0)

    async def _loop(self, name: str, turn: Turn, interval: float, wake: asyncio.Event | None = None) -> None:
        self._running.add(name)
        beat = self._loops.register(f"{self.name}.{name}", limit=max(60.0, interval * 3))
        while True:
            if wake is not None:
                wake.clear()
            beat.turn()
            rest = interval
            try:
                if await turn():
                    rest = 0.0
                self.failing.pop(name, None)
                self.forbidden.pop(name, None)
            except BusForbidden as refusal:
                self._refused(name, refusal)
                rest = max(interval, REST_AFTER_TROUBLE)
            except (DatabaseUnavailable, BusUnavailable, OSError) as trouble:
                log.warning("loop_waits", loop=name, service=self.name, error=type(trouble).__name__)
                rest = max(interval, REST_AFTER_TROUBLE)
            except Exception as error:
                self.failing[name] = type(error).__name__
                log.error("loop_failed", loop=name, service=self.name, error=type(error).__name__, exc_info=error)
                rest = max(interval, REST_AFTER_TROUBLE)
            await self._rest(rest, wake, beat)

    def _refused(self, loop: str, refusal: BusForbidden) -> None:
        """Said once aloud, and shown for as long as it lasts: as a failing loop, and by readiness."""
        if loop not in self.forbidden:
            log.error(
                "bus_forbidden",
                service=self.name,
                loop=loop,
                operation=refusal.operation,
                topic=list(refusal.names),
                error=type(refusal).__name__,
            )
        self.forbidden[loop] = refusal
        self.failing[loop] = type(refusal).__name__

    @staticmethod
    async def _rest(seconds: float, wake: asyncio.Event | None, beat: Any) -> None:
        if not seconds:
            await asyncio.sleep(0)
            return
        while seconds > 0:
            step = min(seconds, 10.0)
            if wake is None:
                await asyncio.sleep(step)
            else:
                try:
                    await asyncio.wait_for(wake.wait(), step)
                    return
                except TimeoutError:
                    pass
            seconds -= step
            beat.turn()
