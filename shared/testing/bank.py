"""A small organisation written straight into a service's replica, for tests that need no staff service."""

from datetime import UTC, datetime

from shared.clock import SystemClock
from shared.contracts.staff import PersonState, QualificationState, UnitKind, UnitState
from shared.db.database import Database
from shared.db.uow import Uow
from shared.directory.handlers import HANDLERS
from shared.events.envelope import Event
from shared.events.handlers import Projection
from shared.ids import uuid7

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LONG_AHEAD = datetime(2035, 1, 1, tzinfo=UTC)

State = UnitState | PersonState | QualificationState


def unit(
    name: str, parent: str | None = None, path: str | None = None, *, zone: str = "Asia/Shanghai", cutoff: str = "00:00"
) -> UnitState:
    """A unit below ``parent``'s path."""
    return UnitState(
        unit=name,
        parent=parent,
        path=path or f"/{name}/",
        kind=UnitKind.HEAD_OFFICE if parent is None else UnitKind.BRANCH,
        code=name,
        zone=zone,
        cutoff=cutoff,
        valid_from=LONG_AGO,
        valid_to=None,
    )


def person(name: str, branch: str, post: str = "teller") -> PersonState:
    """A member of staff at ``branch``."""
    return PersonState(person=name, unit=branch, post=post, active=True)


def qualification(
    staff: str, code: str, valid_from: datetime = LONG_AGO, valid_to: datetime = LONG_AHEAD
) -> QualificationState:
    """A qualification, valid for years unless told otherwise."""
    return QualificationState(
        qualification=f"{staff}-{code}",
        person=staff,
        code=code,
        valid_from=valid_from,
        valid_to=valid_to,
        revoked_at=None,
    )


SMALL_BANK: tuple[State, ...] = (
    unit("hq"),
    unit("prov-gd", "hq", "/hq/prov-gd/"),
    unit("prov-bj", "hq", "/hq/prov-bj/"),
    unit("gz-001", "prov-gd", "/hq/prov-gd/gz-001/"),
    unit("gz-002", "prov-gd", "/hq/prov-gd/gz-002/"),
    unit("bj-001", "prov-bj", "/hq/prov-bj/bj-001/"),
    unit("old-001", "prov-gd", "/hq/prov-gd/old-001/"),
    *(person(f"T{i:04d}", "gz-001") for i in range(1, 10)),
    person("T0101", "gz-002"),
    person("M0001", "gz-001", "branch_manager"),
    *(qualification(f"T{i:04d}", "counter") for i in range(1, 10)),
    *(qualification(f"T{i:04d}", "wealth") for i in range(1, 5)),
    qualification("T0101", "counter"),
)


async def learn(db: Database, *states: State, sequence: int = 1) -> None:
    """Let a service's replica know ``states``, as if their events had arrived."""
    now = SystemClock().now()
    events = [
        Event(
            id=uuid7(),
            source="/services/staff",
            type=state.event_type,
            subject="x",
            sequence=sequence,
            time=now,
            recordedtime=now,
            origin="live",
            traceparent="",
            data=state,
        )
        for state in states
    ]

    async def project(uow: Uow) -> None:
        for handler in HANDLERS:
            if isinstance(handler, Projection):
                await handler.apply(uow, [event for event in events if isinstance(event.data, handler.kinds)])

    await db.write(project, actor="test")
