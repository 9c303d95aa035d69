"""A network in a test's hands: a TCP proxy before a server that passes, cuts or swallows what is sent."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

from shared.testing.ports import free_port

Mode = Literal["pass", "cut", "hole"]


class Proxy:
    """Listens on ``port`` and leads to ``target`` of this machine, in a thread of its own.

    ``pass`` carries everything; ``cut`` closes every connection and refuses new ones; ``hole`` keeps connections open
    and lets nothing through, as a half-open line does.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.accepted = 0
        """Connections that were made since the start."""
        self._mode: Mode = "pass"
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing: asyncio.Event | None = None
        self._server: asyncio.Server | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="proxy")

    def set(self, mode: Mode) -> None:
        """Change what happens to connections, those that are open too; returns when it is done."""
        asyncio.run_coroutine_threadsafe(self._change(mode), self._loop).result(10)

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._writers) // 2

    async def _change(self, mode: Mode) -> None:
        assert self._flowing is not None
        self._mode = mode
        if mode == "hole":
            self._flowing.clear()
        else:
            self._flowing.set()
        if mode == "cut":
            for writer in tuple(self._writers):
                writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._mode == "cut":
            writer.transport.abort()
            return
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(onward, writer))
        finally:
            self._writers -= {writer, back}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._flowing is not None
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def listen() -> None:
            self._flowing = asyncio.Event()
            self._flowing.set()
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self._ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._change("cut")
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
