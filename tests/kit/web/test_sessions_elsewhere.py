"""Sessions where they are not kept: asked for, believed for ten seconds, and for five minutes while nobody answers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import FixedClock
from shared.ids import token128
from shared.security.errors import IdentityUnavailable
from shared.security.keyring import FileKeySource, Keyring
from shared.web.client import PeerUnavailable
from shared.web.sessions_elsewhere import FRESH, LONGEST_ALONE, SILENT, SessionsElsewhere

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


class Keeper:
    """Staff as its peers see it: ``sessions`` by the hash of the cookie; ``down`` until it answers again."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, object]] = {}
        self.asked: list[str] = []
        self.down = False
        self.hold: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def get(self, path, *, purpose):
        assert purpose == "session"
        self.asked.append(path)
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.down:
            raise PeerUnavailable("staff")
        return self.sessions.get(path.removeprefix("/staff/v1/sessions/").partition("?")[0])


class Desk:
    """A process with pages, its clock, and somebody's cookie."""

    def __init__(self, folder) -> None:
        self.keeper = Keeper()
        self.clock = FixedClock(NOON)
        keys = Keyring(FileKeySource(folder), "intl")
        self.sessions = SessionsElsewhere(self.keeper, keys, self.clock)
        self.secret = token128()
        self.id = keys.token_hash(self.secret)
        self.keeper.sessions[self.id] = {
            "id": self.id, "sub": "T0001", "staff": "T0001", "roles": ["teller"], "units": ["gz-001"],
            "seen_at": NOON.isoformat(), "ends_at": (NOON + timedelta(hours=12)).isoformat(),
        }  # fmt: skip

    def later(self, seconds: float) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    async def who(self, *, act: bool = False) -> str | None:
        found = await self.sessions.find(self.secret, act=act)
        return None if found is None else found.principal.sub


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


async def test_the_keeper_is_asked_once_for_a_while(desk):
    for _ in range(3):
        assert await desk.who() == "T0001"
    assert desk.keeper.asked == [f"/staff/v1/sessions/{desk.id}"]
    found = await desk.sessions.find(desk.secret, act=False)
    assert (found.principal.roles, found.principal.units) == (frozenset({"teller"}), ("gz-001",))


async def test_signing_out_is_effective_within_ten_seconds(desk):
    assert await desk.who() == "T0001"
    desk.keeper.sessions.clear()
    desk.later(FRESH.total_seconds() - 1)
    assert await desk.who() == "T0001"
    desk.later(1)
    assert await desk.who() is None
    assert await desk.who() is None  # and not known again


async def test_an_answer_counts_from_when_it_was_asked_for(desk):
    desk.keeper.hold = asyncio.Event()
    waiting = asyncio.create_task(desk.who())
    await desk.keeper.reached.wait()
    desk.later(FRESH.total_seconds())
    desk.keeper.hold.set()
    assert await waiting == "T0001"
    desk.keeper.sessions.clear()
    assert await desk.who() is None


async def test_acts_are_told_to_the_keeper_now_and_then(desk):
    assert await desk.who(act=True) == "T0001"
    desk.later(5)
    assert await desk.who(act=True) == "T0001"
    assert len(desk.keeper.asked) == 1
    desk.later(26)
    assert await desk.who(act=True) == "T0001"
    assert desk.keeper.asked[-1].endswith("?act=true")


async def test_a_session_that_idled_here_may_have_been_used_elsewhere(desk):
    assert await desk.who() == "T0001"
    desk.later(15 * 60)
    desk.keeper.sessions[desk.id]["seen_at"] = desk.clock.now().isoformat()
    assert await desk.who() == "T0001"


async def test_a_keeper_that_does_not_answer_is_done_without_for_five_minutes(desk):
    assert await desk.who() == "T0001"
    desk.keeper.down = True
    desk.later(LONGEST_ALONE.total_seconds() - 1)
    assert await desk.who() == "T0001"
    desk.later(1)
    with pytest.raises(IdentityUnavailable):
        await desk.who()
    desk.keeper.down = False
    assert await desk.who() == "T0001"


async def test_nobody_new_comes_in_while_the_keeper_is_silent(desk):
    desk.keeper.down = True
    with pytest.raises(IdentityUnavailable):
        await desk.who()


async def test_a_slow_keeper_holds_up_those_who_are_known_once_and_shortly(desk, monkeypatch):
    assert await desk.who() == "T0001"
    monkeypatch.setattr("shared.web.sessions_elsewhere.PATIENCE", 0.05)
    desk.later(FRESH.total_seconds())
    desk.keeper.hold = asyncio.Event()
    for _ in range(5):
        assert await desk.who() == "T0001"
    assert len(desk.keeper.asked) == 2
    desk.keeper.sessions.clear()
    desk.keeper.hold.set()
    desk.later(SILENT.total_seconds())
    assert await desk.who() is None


@pytest.mark.parametrize("answer", [{}, {"sub": 1}, {"seen_at": "yesterday"}, {"ends_at": "2026-03-02T04:00:00"}])
async def test_an_answer_that_is_no_session_is_not_believed(desk, answer):
    desk.keeper.sessions[desk.id] = (desk.keeper.sessions[desk.id] | answer) if answer else {}
    with pytest.raises(IdentityUnavailable):
        await desk.who()
