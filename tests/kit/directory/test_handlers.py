"""The replica's projections: any order, duplication and lateness gives the newest state."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.staff import PersonState, QualificationState, UnitKind, UnitState
from shared.db.database import Database
from shared.directory.handlers import HANDLERS
from shared.directory.tables import dir_person, dir_qualification, dir_unit
from shared.events.envelope import Event

T0 = datetime(2026, 1, 1, tzinfo=UTC)
CUTOFFS = ["00:00", "01:00", "02:00", "03:00", "04:00"]


def told(data, subject, sequence):
    return Event(
        f"{subject}:{sequence}", "/services/staff", data.event_type, subject, sequence, T0, T0, "live", "", data
    )


def unit(name, sequence):
    data = UnitState(
        unit=name, parent="hq", path=f"/hq/{name}/", kind=UnitKind.BRANCH, code=name, zone="Asia/Shanghai",
        cutoff=CUTOFFS[sequence - 1], valid_from=T0, valid_to=None,
    )  # fmt: skip
    return told(data, name, sequence)


def person(name, sequence):
    return told(PersonState(person=name, unit=f"u{sequence}", post="teller", active=sequence % 2 == 0), name, sequence)


def qualification(name, sequence):
    revoked = T0 + timedelta(days=sequence) if sequence > 2 else None
    data = QualificationState(
        qualification=name, person="T1", code="wealth", valid_from=T0, valid_to=T0 + timedelta(days=100 + sequence),
        revoked_at=revoked,
    )  # fmt: skip
    return told(data, name, sequence)


HISTORY = [make(name, n) for make, names in ((unit, "ab"), (person, "pq"), (qualification, "xy")) for name in names
           for n in range(1, 6)]  # fmt: skip


async def apply(uow, events):
    for handler in HANDLERS:
        mine = [event for event in events if isinstance(event.data, handler.kinds)]
        if mine:
            await handler.apply(uow, mine)


def selects():
    return [
        sa.select(t).order_by(t.c[next(iter(t.primary_key.columns)).name])
        for t in (dir_unit, dir_person, dir_qualification)
    ]


SELECTS = selects()
CLEAR = [sa.delete(table) for table in (dir_unit, dir_person, dir_qualification)]


async def state(reads):
    return [[row._asdict() for row in await reads.all(select)] for select in SELECTS]


def newest():
    last: dict[str, Event] = {}
    for event in HISTORY:
        last[event.subject] = event
    rows = [event.data.model_dump() | {"sequence": event.sequence} for event in last.values()]
    return [rows[0:2], rows[2:4], rows[4:6]]


@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=20), st.integers(1, 40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_duplication_gives_the_newest_state(db: Database, order, again, size):
    events = [*order, *again]

    async def work(uow):
        for statement in CLEAR:
            await uow.execute(statement)
        for start in range(0, len(events), size):
            await apply(uow, events[start : start + size])
        return await state(uow)

    assert await db.write(work, actor="test") == newest()


async def test_a_state_of_the_same_sequence_changes_nothing(db: Database):
    first = unit("a", 3)
    other = first._replace(data=unit("a", 1).data)

    async def work(uow):
        await apply(uow, [first])
        await apply(uow, [other])
        return (await state(uow))[0][0]["cutoff"]

    assert await db.write(work, actor="test") == CUTOFFS[2]


@pytest.mark.parametrize("kind", [UnitState, PersonState, QualificationState])
def test_each_contract_has_its_columns(kind):
    target = {UnitState: dir_unit, PersonState: dir_person, QualificationState: dir_qualification}[kind]
    assert set(kind.model_fields) | {"sequence"} == set(target.columns.keys())
