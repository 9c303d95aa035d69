"""Forms of pages: one key has one effect, whatever is pressed twice; another key, another one."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Annotated

import pytest
from fastapi import Form

from shared.clock import FixedClock
from shared.db.uow import Uow
from shared.ids import uuid7
from shared.security.principal import Principal
from shared.testing.system import system
from shared.testing.tally.spec import SPEC, Write
from shared.testing.tally.tables import ALL, add
from shared.web.pages import PageRouter, SeeOther

ORIGIN = "http://test"


@pytest.fixture
async def board(tmp_path, monkeypatch):
    """The tally with a page whose button makes a total."""
    module = ModuleType("services.tally.board.pages")
    module.__file__ = str(tmp_path / "pages.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    router = PageRouter(module.__name__)

    @router.post("/tally/board/press")
    async def press(uow: Uow, actor: Write, name: Annotated[str, Form()]) -> SeeOther:
        await add(uow, name, 1)
        return SeeOther(f"/tally/board?made={uuid7()}")

    clock = FixedClock(datetime(2026, 3, 2, 4, tzinfo=UTC))
    async with system([replace(SPEC, pages=(router,))], tmp_path / "data", clock=clock) as running:
        running.client.base_url = ORIGIN
        secret = await running.app.state.sessions.open(Principal("T1", "T1", frozenset({"teller"}), ("gz-001",)))
        cookie = {"cookie": f"wd_session={secret}", "origin": ORIGIN}

        async def send(key, name):
            form = {"name": name} | ({"key": key} if key else {})
            return await running.client.post("/tally/board/press", headers=cookie, data=form)

        async def kept():
            rows = await running.app.state.services["tally"].db.read(lambda reads: reads.all(ALL))
            return sorted(row.name for row in rows)

        yield send, kept


async def test_a_double_click_has_one_effect_and_one_answer(board):
    send, kept = board
    key = uuid7()
    replies = await asyncio.gather(*[send(key, "a") for _ in range(5)])
    assert {reply.status_code for reply in replies} == {303}
    assert len({reply.headers["location"] for reply in replies}) == 1
    assert await kept() == ["a"]
    assert (await send(uuid7(), "b")).headers["location"] != replies[0].headers["location"]
    assert await kept() == ["a", "b"]


async def test_a_key_belongs_to_what_was_typed(board):
    send, kept = board
    key = uuid7()
    assert (await send(key, "a")).status_code == 303
    assert (await send(key, "b")).status_code in (409, 422)
    assert await kept() == ["a"]


async def test_a_form_without_a_key_does_nothing(board):
    send, kept = board
    assert 400 <= (await send("", "a")).status_code < 500
    assert await kept() == []
