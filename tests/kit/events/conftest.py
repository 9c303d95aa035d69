"""A bus, a voice that speaks on it, and consumers that listen."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.bus.base import Message
from shared.bus.embedded import EmbeddedBus
from shared.contracts.staff import PersonState
from shared.db.statements import upsert
from shared.db.tables import dead_letter
from shared.events import consumer as consumer_module
from shared.events.consumer import Consumer
from shared.events.envelope import headers_of
from shared.events.handlers import project, react
from shared.ids import uuid7
from shared.observability.metrics import EventMetrics
from shared.testing.tally.spec import told
from shared.testing.tally.tables import ALL, LOG, LOGGED, total

TOPIC = PersonState.topic
NEWER = upsert(total, ["name"], ["amount", "sequence"], where=lambda old, new: new.sequence > old.sequence)
LETTERS = sa.select(dead_letter).order_by(dead_letter.c.id)


@pytest.fixture
async def bus(tmp_path, noon):
    """The embedded bus in a file of its own."""
    made = EmbeddedBus(tmp_path / "bus.sqlite3", noon, [TOPIC, "queue.events"], 3)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def registry():
    """Where the figures of a test go."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    """What relays and consumers report."""
    return EventMetrics(registry)


class Voice:
    """Another service, telling events about people."""

    def __init__(self, bus, clock):
        self.bus, self.clock = bus, clock
        self.sequences = {}

    def record(self, subject, *, sequence=None, event_id=None, origin="live", at=None, value=None, **headers):
        """One message; the subject's next sequence unless told."""
        if sequence is None:
            sequence = self.sequences[subject] = self.sequences.get(subject, 0) + 1
        at, data = at or self.clock.now(), told(subject)
        ready = headers_of(
            event_id=event_id or uuid7(), service="staff", data=data, subject=subject, sequence=sequence,
            occurred_at=at, recorded_at=at, origin=origin, traceparent="",
        )  # fmt: skip
        return Message(TOPIC, subject, ready | headers, data.write() if value is None else value)

    async def send(self, *messages):
        """Put them on the bus."""
        assert set(await self.bus.publish(messages)) == {None}

    async def tell(self, *subjects, **options):
        """One event for each of ``subjects``, in order."""
        await self.send(*(self.record(subject, **options) for subject in subjects))


@pytest.fixture
def voice(bus, noon):
    """Speaks on the bus."""
    return Voice(bus, noon)


class Listener:
    """A consumer whose handlers write down what reached them, and fail for the subjects in ``poison``."""

    def __init__(self, db, bus, metrics, clock):
        self.db, self.bus, self.metrics, self.clock = db, bus, metrics, clock
        self.poison = {}
        self.batches = []

        @project(PersonState)
        async def newest(uow, events):
            self.batches.append([(event.subject, event.sequence) for event in events])
            for event in events:
                self._trip("project", event)
                await uow.execute(NEWER, name=event.subject, amount=event.sequence, sequence=event.sequence)

        @react(PersonState, max_age=timedelta(days=2))
        async def answer(uow, event):
            self._trip("react", event)
            await uow.write(LOG, name=event.subject, amount=event.sequence)

        self.handlers = (newest, answer)
        self.consumer = self.member()

    def _trip(self, who, event):
        fault = self.poison.get((event.subject, event.sequence)) or self.poison.get(event.subject)
        if fault is not None and who == "react":
            raise fault

    def member(self, db=None, bus=None):
        """Another consumer of the same group."""
        return Consumer("tally", db or self.db, bus or self.bus, self.handlers, self.metrics, self.clock)

    async def drain(self, consumer=None):
        """Turn until there is nothing left; how much there was."""
        count = 0
        while done := await (consumer or self.consumer).turn():
            count += done
        return count

    async def later(self, **by):
        """Let time pass, then turn."""
        self.clock.advance(timedelta(**by))
        return await self.drain()

    async def totals(self):
        """The projection: the newest sequence of each subject."""
        return {row.name: row.amount for row in await self.db.read(lambda reads: reads.all(ALL))}

    async def answered(self):
        """What the reaction was given, in order."""
        return [(row.name, row.amount) for row in await self.db.read(lambda reads: reads.all(LOGGED))]

    async def letters(self):
        """(subject, state) of every dead letter."""
        return [(row.subject, row.state) for row in await self.db.read(lambda reads: reads.all(LETTERS))]

    async def letter(self, n=0):
        """One whole letter."""
        return (await self.db.read(lambda reads: reads.all(LETTERS)))[n]


@pytest.fixture
async def listener(store, bus, metrics, noon, monkeypatch):
    """A consumer on the database of the test."""
    monkeypatch.setattr(consumer_module, "TRY_PAUSE", 0.0)
    made = Listener(store, bus, metrics, noon)
    yield made
    await made.consumer.stop()


@pytest.fixture
def kinds():
    """The classes behind ``voice`` and ``listener``, for histories that make their own."""
    return Voice, Listener
