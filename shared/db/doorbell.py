"""Waking the relay of another process: PostgreSQL's LISTEN and NOTIFY, as a doorbell that carries nothing.

An API process commits events that its worker's relay sends. The relay polls, so nothing depends on the bell; with it an
event leaves within milliseconds. It is rung after the commit and from a connection of its own, many commits at once:
``NOTIFY`` inside a transaction would let the database commit one writer after the other. Behind a pooler that shares
connections between transactions nobody hears it, and polling remains.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

CHANNEL = "wangdian_outbox"
GATHER = 0.01
"""Seconds in which all commits ring once."""
AGAIN = 2.0
"""Seconds until a listener whose connection was lost tries anew."""

TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class Doorbell:
    """Rings for, and hears, one database."""

    def __init__(self, url: str, wake: Callable[[], None], *, listens: bool) -> None:
        self._url = url
        self._wake = wake
        self._listens = listens
        self._rung = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to ring, and to listen if asked to."""
        self._tasks.append(asyncio.create_task(self._keep(self._ring)))
        if self._listens:
            self._tasks.append(asyncio.create_task(self._keep(self._listen)))

    async def close(self) -> None:
        """End both."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def ring(self) -> None:
        """Tell the others that there is something in the outbox."""
        self._rung.set()

    async def _keep(self, work: Callable[[Any], Any]) -> None:
        while True:
            with contextlib.suppress(*TROUBLE):
                connection = await asyncpg.connect(
                    self._url, timeout=5, server_settings={"application_name": "wangdian-doorbell"}
                )
                try:
                    await work(connection)
                finally:
                    with contextlib.suppress(*TROUBLE):
                        await connection.close(timeout=1)
            await asyncio.sleep(AGAIN)

    async def _ring(self, connection: Any) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            await connection.execute(f"NOTIFY {CHANNEL}", timeout=5)
            await asyncio.sleep(GATHER)

    async def _listen(self, connection: Any) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda *_: self._wake())
        # What was committed while nobody listened.
        self._wake()
        await lost.wait()
