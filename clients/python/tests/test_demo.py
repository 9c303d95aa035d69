"""The demo leaves the bank as people would: each served, gone or called in vain, and every reply in the journal."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from wangdian_client import Unreachable
from wangdian_client.demo import Journal, NothingOpen, Scenario, Tally, read_journal, run_demo
from wangdian_client.demo.scenario import answers, plan

_spec = importlib.util.spec_from_file_location("fake_bank", Path(__file__).with_name("fake_bank.py"))
assert _spec is not None
assert _spec.loader is not None
fake_bank = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fake_bank)
FakeBank = fake_bank.FakeBank


def tokens(role: str, staff: str | None, unit: str) -> str:
    return f"{role}|{unit}|{staff or ''}"


async def play(bank: Any, scenario: Scenario, **options: Any) -> Tally:
    return await run_demo("http://bank.test", scenario, tokens, transport=httpx.MockTransport(bank), **options)


async def test_everybody_is_served_gone_or_called_in_vain():
    bank = FakeBank()
    tally = await play(bank, Scenario(visits=60, seed=1, rate=0.5))
    ends = Counter(visit["status"] for visit in bank.visits.values())
    assert tally.complete
    assert tally.issued == len(bank.visits) == 60
    assert (tally.served, tally.no_show, tally.left) == (ends["served"], ends["no_show"], ends["left"])
    assert set(ends) == {"served", "no_show", "left"}
    assert tally.rated == len(bank.responses) > 10
    assert tally.uninvited == 0
    assert {window["state"] for window in bank.windows.values()} == {"closed"}


async def test_each_acts_under_their_own_token():
    bank = FakeBank()
    await play(bank, Scenario(visits=40, app=0.5))
    assert bank.bearers == {
        "",
        "Bearer head_office|hq|",
        "Bearer branch_manager|gz-001|",
        "Bearer kiosk|gz-001|",
        "Bearer app|gz-001|",
        "Bearer teller|gz-001|T0001",
        "Bearer teller|gz-001|T0002",
    }


async def test_a_window_opens_for_what_its_teller_may_do():
    bank = FakeBank()
    await play(bank, Scenario(visits=30, branches=("gz-001",)))
    assert {tuple(window["services"]) for window in bank.windows.values()} == {("cash",), ("cash", "fx")}
    assert {visit["service"] for visit in bank.visits.values()} == {"cash", "fx"}


@pytest.mark.parametrize("seed", range(3))
async def test_lost_replies_neither_double_nor_lose_anything(tmp_path, seed):
    bank = FakeBank(lossy=0.3, seed=seed)
    with Journal(tmp_path / "journal.ndjson") as journal:
        tally = await play(bank, Scenario(visits=12, seed=seed), journal=journal)
    assert tally.complete
    assert tally.repeated > 0
    assert tally.issued == len(bank.visits) == 12
    entries = read_journal(tmp_path / "journal.ndjson")
    assert {entry["key"]: (entry["status"], entry["reply"]) for entry in entries} == bank.replies
    assert len(entries) == len(bank.replies)
    assert [entry["id"] for entry in entries if entry["kind"] == "queue.tickets.issue"] == list(
        dict.fromkeys(entry["id"] for entry in entries if entry["kind"] == "queue.tickets.issue")
    )


async def test_what_an_earlier_run_has_left_behind_is_brought_to_an_end():
    bank = FakeBank()
    bank.visits["old"] = {"id": "old", "status": "called", "window": 1, "service": "cash"}
    bank.visits["late"] = {"id": "late", "status": "waiting", "window": None, "service": "cash"}
    bank.windows[1].update(state="break", staff_id="T0002", services=["cash"], visit="old")
    tally = await play(bank, Scenario(visits=5))
    assert tally.complete
    assert bank.visits["old"]["status"] == bank.visits["late"]["status"] == "served"
    assert {window["state"] for window in bank.windows.values()} == {"closed"}


async def test_time_is_bounded():
    bank = FakeBank()

    async def dying(request: httpx.Request) -> httpx.Response:
        if len(bank.visits) == 3:
            raise httpx.ConnectError("gone for good")
        return await bank(request)

    tally = await play(dying, Scenario(visits=5, max_seconds=0.3))
    assert not tally.complete
    assert tally.issued == 3
    assert 0.3 <= tally.seconds < 2


async def test_no_server_at_all_is_said(monkeypatch):
    async def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr("wangdian_client.demo.run._FIRST_ANSWER_SECONDS", 0.2)
    with pytest.raises(Unreachable):
        await play(silent, Scenario(visits=5))


async def test_nothing_open_is_said():
    bank = FakeBank()
    bank.windows.clear()
    with pytest.raises(NothingOpen, match="gz-001"):
        await play(bank, Scenario(visits=5, branches=("gz-001",)))


async def test_a_fault_of_the_server_ends_the_demo_as_itself():
    bank = FakeBank()

    async def faulty(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if request.url.path.endswith("/tickets") else await bank(request)

    with pytest.raises(Exception, match="http_500"):
        await play(faulty, Scenario(visits=5))


async def test_progress_is_told_after_each_confirmed_write():
    seen = []
    await play(FakeBank(), Scenario(visits=4), progress=lambda tally: seen.append(tally.issued))
    assert seen[-1] == 4
    assert seen == sorted(seen)


def test_one_seed_is_one_plan_whatever_the_order_of_the_lists():
    offered = {"b": ["fx", "cash"], "a": ["cash"]}
    shuffled = {"a": ["cash"], "b": ["cash", "fx"]}
    assert plan(Scenario(visits=50, seed=7), offered) == plan(Scenario(visits=50, seed=7), shuffled)
    assert plan(Scenario(visits=50, seed=7), offered) != plan(Scenario(visits=50, seed=8), offered)


def test_the_mix_follows_its_shares():
    courses = plan(Scenario(visits=4_000, leave=0.2, no_show=0.1, care=0.3, vip=0.1), {"a": ["cash"]})
    classes = Counter(course.class_ for course in courses)
    assert 0.16 < sum(course.leaves for course in courses) / 4_000 < 0.24
    assert 0.07 < sum(not course.comes for course in courses) / 4_000 < 0.13
    assert 0.26 < classes["care"] / 4_000 < 0.34
    assert 0.07 < classes["vip"] / 4_000 < 0.13


def test_answers_stay_on_their_scale_and_hold_all_required_items():
    for course in plan(Scenario(visits=300), {"a": ["cash"]}):
        given = answers(fake_bank.QUESTIONNAIRE, course, 0)
        assert {"quality", "efficiency"} <= set(given)
        assert all(1 <= score <= 5 for score in given.values())
