"""The course of a visit over HTTP: every act in every state, who may act, what each leaves behind."""

import pytest

from services.queue.tickets.rules import MOVES

ACTS = tuple(MOVES)
ALLOWED = {
    "waiting": {"leave"},
    "called": {"recall", "start", "no-show", "leave"},
    "serving": {"finish"},
    "served": set(),
    "no_show": set(),
    "left": set(),
}
PATHS = {
    "waiting": (),
    "called": ("call",),
    "serving": ("call", "start"),
    "served": ("call", "start", "finish"),
    "no_show": ("call", "no-show"),
    "left": ("leave",),
}


async def reach(hall, state):
    """A visit in ``state``, at window 1."""
    ticket = await hall.issue("fx")
    for step in PATHS[state]:
        if step == "call":
            assert (await hall.call(1))["id"] == ticket["id"]
        else:
            await hall.act(ticket["id"], step)
    return ticket["id"]


@pytest.mark.guide("2.2c")
@pytest.mark.parametrize("state", PATHS)
async def test_every_other_act_is_refused_with_the_state_and_what_is_allowed(hall, state):
    await hall.open(1, "T0001", "fx")
    visit = await reach(hall, state)
    seen, told = await hall.visit(visit), len(await hall.told())
    assert (seen["status"], set(seen["allowed"])) == (state, ALLOWED[state])
    for act in set(ACTS) - ALLOWED[state]:
        problem = (await hall.act(visit, act, expect=409)).json()
        assert (problem["code"], problem["state"]) == ("illegal_transition", state)
        assert problem["allowed"] == sorted(ALLOWED[state])
    assert (await hall.visit(visit), len(await hall.told())) == (seen, told)


@pytest.mark.parametrize(("state", "act"), [(s, a) for s, acts in ALLOWED.items() for a in sorted(acts)])
async def test_every_allowed_act_leads_where_it_should(hall, state, act):
    await hall.open(1, "T0001", "fx")
    visit = await reach(hall, state)
    version = (await hall.visit(visit))["version"]
    answer = await hall.act(visit, act)
    seen = answer.json()
    assert seen["status"] == MOVES[act][1].value
    assert (seen["version"], answer.headers["etag"]) == (version + 1, f'"{version + 1}"')
    window = (await hall.send("GET", "/branches/gz-001/windows")).json()["items"][0]
    held = visit if seen["status"] in ("called", "serving") else None
    assert window["visit"] == held
    last = (await hall.told())[-1]
    assert (last["subject"], last["data"]["status"]) == (visit, seen["status"])


async def test_times_calls_and_seconds_of_a_visit(hall):
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    hall.tick(120.4)
    called = await hall.call(1)
    assert (called["wait_seconds"], called["calls"], called["window"], called["staff_id"]) == (120, 1, "1", "T0001")
    hall.tick(30)
    recalled = (await hall.act(ticket["id"], "recall")).json()
    assert (recalled["calls"], recalled["called_at"], recalled["wait_seconds"]) == (2, called["called_at"], 120)
    hall.tick(10)
    started = (await hall.act(ticket["id"], "start")).json()
    hall.tick(300.5)
    done = (await hall.act(ticket["id"], "finish")).json()
    assert (done["handling_seconds"], done["wait_seconds"], done["calls"]) == (301, 120, 2)
    assert started["called_at"] < started["started_at"] < done["finished_at"]
    assert (done["left_at"], done["end_cause"]) == (None, None)
    events = [e for e in await hall.told() if e["subject"] == ticket["id"]]
    assert [e["type"].split(".")[2] for e in events] == ["opened", "called", "called", "started", "completed"]
    assert [e["sequence"] for e in events] == [1, 2, 3, 4, 5]
    assert (events[-1]["data"]["wait_seconds"], events[-1]["data"]["handling_seconds"]) == (120, 301)


async def test_a_customer_leaves_and_staff_sends_away(hall):
    await hall.open(1, "T0001", "cash")
    first, second, third = [await hall.issue() for _ in range(3)]
    left = await hall.send("POST", f"/visits/{first['id']}/leave", "app")
    assert (left.json()["status"], left.json()["end_cause"], left.json()["wait_seconds"]) == ("left", "customer", None)
    assert (await hall.call(1))["id"] == second["id"]
    away = (await hall.act(second["id"], "leave")).json()
    assert (away["end_cause"], away["wait_seconds"]) == ("staff", 0)
    assert (await hall.call(1))["id"] == third["id"]


async def test_only_who_runs_the_window_or_a_manager_acts_on_its_visit(hall):
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    await hall.call(1)
    for act in ("recall", "start", "no-show"):
        problem = (await hall.act(ticket["id"], act, "T0002", expect=409)).json()
        assert problem["code"] == "not_your_window"
    helped = await hall.send("POST", f"/visits/{ticket['id']}/start", "branch_manager", staff="M0001")
    assert (helped.json()["status"], helped.json()["staff_id"]) == ("serving", "T0001")


async def test_a_change_based_on_an_old_version_is_refused(hall):
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    await hall.call(1)
    stale = await hall.act(ticket["id"], "start", headers={"if-match": '"1"'}, expect=412)
    assert (stale.json()["code"], stale.json()["version"], stale.headers["etag"]) == ("stale_version", 2, '"2"')
    assert (await hall.visit(ticket["id"]))["status"] == "called"
    await hall.act(ticket["id"], "start", headers={"if-match": stale.headers["etag"]})


async def test_one_retry_of_an_act_is_the_same_act(hall):
    await hall.open(1, "T0001", "cash")
    ticket = await hall.issue()
    await hall.call(1)
    once = await hall.act(ticket["id"], "recall", key="again")
    assert (await hall.act(ticket["id"], "recall", key="again")).content == once.content
    assert (await hall.visit(ticket["id"]))["calls"] == 2
    other = await hall.act(ticket["id"], "start", key="again", expect=422)
    assert other.json()["code"] == "idempotency_key_reused"
