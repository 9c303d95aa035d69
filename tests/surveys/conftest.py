"""The surveys service alone, told by the bus what staff and queue would tell it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.surveys.invitations.models import Invitation
from services.surveys.spec import SPEC
from shared.bus.base import Message
from shared.clock import FixedClock
from shared.contracts.queue import Channel, VisitCompleted, VisitStatus
from shared.contracts.staff import UnitKind, UnitState
from shared.db.statements import table
from shared.db.tables import outbox
from shared.events.envelope import headers_of
from shared.ids import uuid5, uuid7
from shared.testing.postgres import postgres_for
from shared.testing.system import MORNING, System, system

UNITS = {"hq": "/hq/", "gd": "/hq/gd/", "gz_1": "/hq/gd/gz_1/", "gzX1": "/hq/gd/gzX1/", "sh": "/hq/sh/"}
ITEMS = [
    {"code": name, "dimension": name, "texts": {"zh": f"{name}?", "en": f"{name}?"}}
    for name in ("quality", "efficiency", "attitude")
]
INVITATIONS = sa.select(table(Invitation)).order_by(table(Invitation).c.visit)
TOLD = sa.select(outbox).order_by(outbox.c.seq)


@dataclass
class Peer:
    """What queue would answer about contacts; an exception in ``answers`` is raised."""

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    async def get(self, path, *, purpose):
        self.asked.append((path, purpose))
        answer = self.answers.get(path.split("/")[4])
        if isinstance(answer, Exception):
            raise answer
        return answer


class Surveys:
    """The running service and its neighbours' voices."""

    def __init__(self, running: System) -> None:
        self.running, self.clock, self.client, self.call = running, running.clock, running.client, running.call
        self.runtime = running.runtime("surveys")
        self.peer = Peer()
        self.runtime.peers = self.peer

    async def publish(self, data, subject, *, event_id=None, sequence=1, origin="live", at=None):
        """Put an event of another service on the bus and let it have its effect."""
        at = at or self.clock.now()
        headers = headers_of(
            event_id=event_id or uuid7(), service="other", data=data, subject=subject, sequence=sequence,
            occurred_at=at, recorded_at=at, origin=origin, traceparent="",
        )  # fmt: skip
        assert await self.running.app.state.bus.publish([Message(data.topic, subject, headers, data.write())]) == [None]
        await self.running.settle()

    async def complete(self, visit="v1", unit="gz_1", *, day=date(2026, 3, 2), staff="T1", **event):
        """Queue tells that a visit was completed."""
        at = event.get("at") or self.clock.now()
        data = VisitCompleted(
            visit=visit, unit=unit, business_date=day, number="A001", service="cash", ticket_class="ordinary",
            channel=Channel.KIOSK, status=VisitStatus.SERVED, issued_at=at - timedelta(minutes=20),
            called_at=at - timedelta(minutes=10), started_at=at - timedelta(minutes=9), finished_at=at,
            wait_seconds=600, handling_seconds=540, calls=1, window="3", staff=staff,
        )  # fmt: skip
        await self.publish(data, visit, **event)

    async def published(self, code="visit", items=ITEMS, **publish):
        """Head office publishes a questionnaire; returns its version."""
        body = {"code": code, "items": items}
        made = await self.call("POST", "/surveys/v1/questionnaires", "head_office", json=body, expect=201)
        path = f"{made.headers['location']}/publish"
        await self.call("POST", path, "head_office", json=publish, expect=200)
        return made.json()["version"]

    async def token(self, visit="v1"):
        """The link of a visit's invitation, as the kiosk gets it."""
        found = await self.call("GET", f"/surveys/v1/visits/{visit}/invitation", "kiosk", expect=200)
        return found.json()["token"]

    async def answer(self, token, answers, **headers):
        """The customer answers."""
        path = f"/surveys/v1/invitations/{token}/response"
        return await self.client.post(path, json={"answers": answers}, headers=headers)

    async def rows(self, statement=INVITATIONS):
        """Stored rows."""
        return await self.runtime.db.read(lambda reads: reads.all(statement))

    async def told(self, kind):
        """The payloads of what the service told, of one event type."""
        return [
            kind.read(bytes(row.payload)) for row in await self.rows(TOLD) if row.headers["ce_type"] == kind.event_type
        ]


async def _known(running: System) -> Surveys:
    service = Surveys(running)
    for unit, path in UNITS.items():
        state = UnitState(
            unit=unit, parent=None, path=path, kind=UnitKind.BRANCH, code=unit, zone="Asia/Shanghai",
            cutoff="00:00", valid_from=datetime(2020, 1, 1, tzinfo=UTC), valid_to=None,
        )  # fmt: skip
        await service.publish(state, unit)
    return service


@pytest.fixture
async def surveys(tmp_path):
    async with system([SPEC], tmp_path) as running:
        yield await _known(running)


@pytest.fixture
async def surveys_on_postgres(tmp_path, postgres):
    clock = FixedClock(MORNING)

    async def database(spec, context):
        return await postgres_for(postgres, spec, clock, context)

    async with system([SPEC], tmp_path, clock=clock, database=database) as running:
        yield await _known(running)


@pytest.fixture
def invitation_of():
    """The id that a visit's invitation must have."""
    return lambda visit: uuid5("invitation", visit)


__all__ = ["MORNING", "Peer", "Surveys"]
