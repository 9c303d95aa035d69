"""Policies of the queue: decided for a part of the tree, from an instant on; and what they change in the hall."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.queue.kiosks import service as kiosks
from services.queue.kiosks.models import HelpCall
from services.queue.policies.kinds import HALL
from shared.db.statements import table
from shared.directory import replica
from shared.policies.lookup import in_force

PATH = "/policies"


def hall_of(unit, from_=None, **body):
    asked = {"kind": "queue.hall", "unit": unit, "body": body}
    return asked if from_ is None else asked | {"effective_from": from_.isoformat()}


async def holds(hall, path):
    found = await hall.running.runtime("queue").db.read(lambda reads: in_force(reads, HALL))
    return found.at(path)


async def decide(hall, asked, expect=201):
    answer = await hall.send("POST", PATH, "head_office", json=asked, units=("hq",), expect=expect)
    return answer.json()


async def test_the_newest_policy_of_the_nearest_unit_holds(either_hall):
    hall = either_hall
    root, branch = "/hq/", "/hq/gd/gz-001/"
    assert (await holds(hall, branch)).help_waits_minutes == 120, "the bank starts with the usual values"
    await decide(hall, hall_of("hq", help_waits_minutes=60))
    assert (await holds(hall, branch)).help_waits_minutes == (await holds(hall, root)).help_waits_minutes == 60
    later = hall.running.clock.now() + timedelta(days=1)
    await decide(hall, hall_of("gz-001", later, help_waits_minutes=5, device_silent_seconds=300))
    assert (await holds(hall, branch)).help_waits_minutes == 60
    hall.tick(86_400)
    found = await holds(hall, branch)
    assert (found.help_waits_minutes, found.device_silent_seconds, found.forgotten_after_minutes) == (5, 300, 120)
    assert (await holds(hall, "/hq/gd/gz-002/")).help_waits_minutes == 60
    await decide(hall, hall_of("hq", help_waits_minutes=30))
    assert (await holds(hall, branch)).help_waits_minutes == 5
    assert (await holds(hall, root)).help_waits_minutes == 30


async def test_what_was_decided_is_listed_and_in_the_audit_log(hall):
    first = await decide(hall, hall_of("hq", help_waits_minutes=60))
    assert first["body"] == {"help_waits_minutes": 60, "forgotten_after_minutes": 120, "device_silent_seconds": 90}
    hall.tick()
    second = await decide(hall, hall_of("gz-001", device_silent_seconds=60))
    shown = (await hall.send("GET", PATH, "branch_manager", expect=200)).json()["items"]
    assert shown == [first, second]
    assert [row.object_id for row in await hall.audited() if row.action == "policy.planned"] == [
        first["id"], second["id"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "queue.unheard"}, "/kind"),
        ({"body": {"help_waits_minutes": 0}}, "/body/help_waits_minutes"),
        ({"body": {"help_waits_minutes": "60"}}, "/body/help_waits_minutes"),
        ({"body": {"surprise": 1}}, "/body/surprise"),
        ({"effective_from": "2026-03-01T00:00:00Z"}, "/effective_from"),
        ({"effective_from": "2046-03-01T00:00:00Z"}, "/effective_from"),
    ],
)
async def test_an_unfit_policy_is_refused_by_its_field_and_changes_nothing(hall, change, pointer):
    answer = await decide(hall, hall_of("hq", help_waits_minutes=60) | change, expect=422)
    assert [each["pointer"] for each in answer["errors"]] == [pointer]
    assert (await hall.send("GET", PATH, "head_office", units=("hq",), expect=200)).json()["items"] == []


async def test_two_cannot_begin_at_one_instant_and_nobody_decides_for_others(hall):
    await decide(hall, hall_of("hq", help_waits_minutes=60))
    again = await decide(hall, hall_of("hq", help_waits_minutes=61), expect=422)
    assert again["errors"][0]["pointer"] == "/effective_from"
    await hall.send("POST", PATH, "branch_manager", json=hall_of("gz-001"), expect=403)
    await hall.send("POST", PATH, "head_office", json=hall_of("gz-001"), units=("gz-002",), expect=404)


async def test_a_service_left_open_ends_when_the_branch_says(hall):
    await decide(hall, hall_of("gz-001", forgotten_after_minutes=600))
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    assert (await hall.call(1))["id"] == ticket["id"]
    await hall.act(ticket["id"], "start")
    for at, status in (
        ("2026-03-02 19:00", "serving"),
        ("2026-03-03 01:59", "serving"),
        ("2026-03-03 02:01", "served"),
    ):
        hall.clock.set(datetime.fromisoformat(at).replace(tzinfo=UTC))
        await hall.running.settle()
        assert (await hall.visit(ticket["id"]))["status"] == status


async def test_a_call_for_help_is_news_as_long_as_the_branch_says(hall):
    await decide(hall, hall_of("gz-001", help_waits_minutes=10))
    branch = await hall.db.read(lambda reads: replica.unit(reads, "gz-001"))
    for minutes, waiting in ((0, 1), (9, 1), (11, 2)):
        hall.tick(60 * minutes)
        await hall.db.write(lambda uow: kiosks.ask_help(uow, branch, "device:k1"), actor="test")
        rows = await hall.rows(sa.select(table(HelpCall).c.id))
        assert len(rows) == waiting
    shown = await hall.db.read(lambda reads: kiosks.help_calls(reads, branch))
    assert len(shown) == 1
