"""The application ends although a loop loses the first request to stop."""

import asyncio
from dataclasses import replace

from services.staff.spec import SPEC
from shared import app
from shared.spec import LoopSpec
from shared.testing.system import system


async def test_a_loop_that_loses_a_cancellation_is_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "STOP_AGAIN", 0.05)
    lost = []

    def make(_):
        async def turn():
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append(1)
            return 0

        return turn

    spec = replace(SPEC, loops=(LoopSpec("deaf", make),))
    async with asyncio.timeout(20):
        async with system([spec], tmp_path, loops=True):
            await asyncio.sleep(0.1)
    assert lost
