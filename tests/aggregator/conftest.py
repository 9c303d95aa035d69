"""The aggregator's database on both engines, visits and responses told to it, and the figures it must then hold."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.aggregator.facts import rebuild
from services.aggregator.facts.handlers import project_responses, project_visits
from services.aggregator.facts.kinds import RESPONSES, VISITS
from services.aggregator.facts.models import FactResponse, FactVisit
from services.aggregator.metrics import generations
from services.aggregator.metrics.contributions import contributions
from services.aggregator.metrics.models import NO_BUCKET, Cell, Rollup
from services.aggregator.metrics.rollups import rollup
from services.aggregator.spec import SPEC
from shared.bus.base import Message
from shared.clock import FixedClock
from shared.contracts.queue import (
    Channel,
    VisitAbandoned,
    VisitCalled,
    VisitCompleted,
    VisitNoShow,
    VisitOpened,
    VisitStarted,
    VisitStatus,
)
from shared.contracts.surveys import Answer, Dimension, InvitationSent, ResponseSubmitted
from shared.db.migrate import migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.statements import table
from shared.db.uow import UnitContext
from shared.directory.tables import dir_unit
from shared.events.envelope import Event, headers_of
from shared.ids import uuid7
from shared.testing.bank import SMALL_BANK, learn
from shared.testing.postgres import postgres_for
from shared.testing.system import System, system

DAY = date(2026, 3, 2)
ISSUED = datetime(2026, 3, 2, 1, tzinfo=UTC)
_KINDS = {
    "waiting": VisitOpened, "called": VisitCalled, "serving": VisitStarted, "served": VisitCompleted,
    "no_show": VisitNoShow, "left": VisitAbandoned,
}  # fmt: skip
_CELLS, _ROLLUPS = sa.select(table(Cell)), sa.select(table(Rollup))
_FACTS = [(VISITS, sa.select(table(FactVisit))), (RESPONSES, sa.select(table(FactResponse)))]
_EMPTY = [sa.delete(each) for each in (*SPEC.metadata.sorted_tables, dir_unit)]


def event(data, subject, sequence, origin="live"):
    """The event as the consumer hands it over."""
    return Event(
        id=uuid7(), source="/services/x", type=data.event_type, subject=subject, sequence=sequence, time=ISSUED,
        recordedtime=ISSUED, origin=origin, traceparent="", data=data,
    )  # fmt: skip


def visit(
    name="v1", state="served", *, wait=60, handling=120, sequence=1, day=DAY, unit="gz-001", origin="live", **more
):
    """A visit's event in ``state``, with what a visit in that state has."""
    met = state not in {"waiting", "left"}
    called = ISSUED + timedelta(seconds=wait) if met else None
    done = state == "served"
    data = _KINDS[state](
        visit=name, unit=unit, business_date=day, number="A001", service=more.pop("service", "cash"),
        ticket_class=more.pop("ticket_class", "ordinary"), channel=Channel.KIOSK, status=VisitStatus(state),
        issued_at=ISSUED, called_at=called, started_at=called if state in {"serving", "served"} else None,
        finished_at=called + timedelta(seconds=handling) if done else None,
        left_at=ISSUED + timedelta(seconds=wait) if state == "left" else None,
        wait_seconds=wait if met else None, handling_seconds=handling if done else None, **more,
    )  # fmt: skip
    return event(data, name, sequence, origin)


def invitation(name="i1", scores=None, *, sequence=1, day=DAY, unit="gz-001", scale=(1, 5)):
    """An invitation's event; answered with ``scores`` if given."""
    kind = InvitationSent if scores is None else ResponseSubmitted
    answers = tuple(
        Answer(item=f"q{i}", dimension=Dimension.QUALITY, score=score, scale_min=scale[0], scale_max=scale[1])
        for i, score in enumerate(scores or ())
    )
    data = kind(
        invitation=name, visit=f"v-{name}", unit=unit, business_date=day, service="cash", ticket_class="ordinary",
        questionnaire="visit", questionnaire_version=1, invited_at=ISSUED,
        responded_at=None if scores is None else ISSUED + timedelta(days=3), answers=answers,
    )  # fmt: skip
    return event(data, name, sequence)


@dataclass
class Figures:
    """An aggregator's database without its service."""

    db: object
    clock: FixedClock

    async def tell(self, *events):
        """One batch of the consumer."""
        for handler in (project_visits, project_responses):
            mine = [each for each in events if isinstance(each.data, handler.kinds)]
            if mine:
                await self.db.write(lambda uow, h=handler, m=mine: h.apply(uow, m), actor="test")

    async def ask_for_rebuild(self):
        """Begin a rebuild unless one is under way."""

        async def ask(uow):
            state = await generations.seize(uow)
            if state.building is None:
                await generations.save(uow, rebuild._begun(state))

        await self.db.write(ask, actor="test")

    async def rebuild_step(self):
        """One step of the rebuild; how much it did."""
        return await self.db.write(rebuild.step, actor="test")

    async def rebuilt(self):
        """Go on until there is nothing more to rebuild; the steps that it took."""
        steps = 0
        while await self.rebuild_step():
            steps += 1
            assert steps < 500
        return steps

    async def learn(self, *states, sequence=1):
        """Hear of units as the consumer does, the replica of the directory first."""
        events = [event(each, each.unit, sequence) for each in states]

        async def hear(uow):
            for handler in SPEC.all_handlers:
                if type(states[0]) in handler.kinds:
                    await handler.apply(uow, events)

        await self.db.write(hear, actor="test")

    @property
    def tables(self):
        """The service's tables by name."""
        return SPEC.metadata.tables

    async def rows(self, statement):
        """All rows of ``statement``."""
        return await self.db.read(lambda reads: reads.all(statement))

    async def facts(self):
        """The kept facts."""
        return [kind.kept(row) for kind, statement in _FACTS for row in await self.rows(statement)]

    async def active(self):
        """The generation that is read."""
        state = await self.db.read(generations.look)
        return generations.FIRST if state is None else state.active

    async def cells(self, generation=None):
        """Cells that are not zero, by key."""
        generation = generation or await self.active()
        return {
            tuple(row[1:7]): tuple(row[7:])
            for row in await self.rows(_CELLS)
            if row.generation == generation and any(row[7:])
        }

    async def rollups(self):
        """The whole bank's sums by day and metric, over their stripes."""
        active = await self.active()
        sums = {}
        for row in await self.rows(_ROLLUPS):
            if row.generation == active:
                total = sums.setdefault((row.day, row.metric), [0, 0, 0])
                sums[row.day, row.metric] = [a + b for a, b in zip(total, row[4:], strict=True)]
        return {key: total for key, total in sums.items() if any(total)}

    async def recomputed(self):
        """The cells and rollups that the kept facts alone make."""
        cells, every = Counter(), []
        for fact in await self.facts():
            for each in contributions([fact]):
                every.append(each)
                bucket = NO_BUCKET if each.bucket is None else each.bucket
                key = (each.metric, each.unit, each.day, bucket, each.service, each.ticket_class)
                for name in ("n", "numerator", "denominator"):
                    cells[key, name] += getattr(each, name)
        keys = {key for key, _ in cells}
        made = {key: tuple(cells[key, name] for name in ("n", "numerator", "denominator")) for key in keys}
        return {key: sums for key, sums in made.items() if any(sums)}, {
            key: total for key, total in rollup(every).items() if any(total)
        }

    async def assert_true(self):
        """The cells and rollups are those of the facts."""
        cells, rollups = await self.recomputed()
        assert await self.cells() == cells
        assert await self.rollups() == rollups

    async def empty(self):
        """Forget everything."""

        async def drop(uow):
            for statement in _EMPTY:
                await uow.execute(statement)

        await self.db.write(drop, actor="test")


@pytest.fixture(params=["sqlite", "postgres"])
def server(request):
    """The PostgreSQL server of a test, None for SQLite; started before the test's loop runs."""
    return request.getfixturevalue("postgres") if request.param == "postgres" else None


@pytest.fixture
async def figures(server, tmp_path):
    """The database on either engine, open and empty."""
    clock, context = FixedClock(ISSUED), UnitContext("aggregator")
    if server is None:
        path = tmp_path / "aggregator.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, SPEC.migrations)
        db = SqliteDatabase(path, clock, context)
    else:
        db = await postgres_for(server, SPEC, clock, context)
    await db.open()
    yield Figures(db, clock)
    await db.close()


class Running:
    """The running service, told by the bus, with a small bank in its replica."""

    def __init__(self, running: System) -> None:
        self.system, self.call, self.runtime = running, running.call, running.runtime("aggregator")
        self.figures = Figures(self.runtime.db, running.clock)

    async def publish(self, *events):
        """Put events on the bus and let them have their effect."""
        messages = [
            Message(
                each.data.topic, each.subject,
                headers_of(
                    event_id=each.id, service="queue", data=each.data, subject=each.subject, sequence=each.sequence,
                    occurred_at=each.time, recorded_at=each.recordedtime, origin=each.origin, traceparent="",
                ),
                each.data.write(),
            )
            for each in events
        ]  # fmt: skip
        assert not any(await self.system.app.state.bus.publish(messages))
        await self.system.settle()

    async def ask(self, metric, *, role="head_office", units=("hq",), expect=200, **params):
        """The answer to a question about a metric."""
        path = f"/aggregator/v1/metrics/{metric}"
        answer = await self.call("GET", path, role, units=units, params=params, expect=expect)
        return answer.json()

    async def points(self, metric, **params):
        """The points of a series."""
        return (await self.ask(metric, **params))["points"]


@asynccontextmanager
async def _start(folder):
    async with system([SPEC], folder) as running:
        service = Running(running)
        await learn(service.runtime.db, *SMALL_BANK)
        yield service


@pytest.fixture
def aggregator_in():
    """Starts the aggregator on a folder."""
    return _start


@pytest.fixture
async def aggregator(tmp_path):
    """The running aggregator on SQLite."""
    async with _start(tmp_path) as service:
        yield service


@pytest.fixture
def tell_visit():
    """Makes visit events."""
    return visit


@pytest.fixture
def tell_invitation():
    """Makes invitation events."""
    return invitation
