"""Live streams of the hall against raw frames: what a message costs for each stream, and what a stream holds.

``product`` is the queue service with its pages; ``floor`` an application of nothing but bytes that are sent. Each is a
process of its own, held by a client that is another: ``python -m tests.bench.streams product|floor FOLDER PORT``.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import psutil
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.commands.ports import LeavingServer
from shared.clock import SystemClock
from shared.security.principal import Principal
from shared.testing.bank import SMALL_BANK, learn
from shared.testing.ports import free_port
from shared.testing.system import system
from shared.web import feed
from shared.web.live import _HEADERS, frame
from tests.bench.hall import SPEC, product
from tests.bench.rows import Row

UNIT: Final = "gz-001"
STREAMS, MESSAGES, ROUNDS = 2_000, 40, 5
HELD, HELD_WITHIN = 2_000, 100.0
"""Streams that one process holds, and the megabytes above idle that they may take."""
CALL: Final = {"visit": "019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b", "number": "A101", "window": "3", "calls": 1}
MARK: Final = b"event: call\n"
PATIENCE: Final = 120.0


class Usage(NamedTuple):
    """What a process has used so far."""

    cpu: float
    rss: int


class Raw:
    """The floor: an ASGI application that keeps its streams in a list and gives each the same bytes."""

    def __init__(self) -> None:
        self.streams: set[asyncio.Queue[bytes]] = set()
        self.seq = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """A stream, or one message for all of them."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/bench/tell":
            self.seq += 1
            body = frame("call", CALL | {"at": SystemClock().now().isoformat()}, self.seq)
            for queue in self.streams:
                queue.put_nowait(body)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": frame("tick", {}, self.seq), "more_body": True})
        self.streams.add(queue)
        try:
            while True:
                await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
        finally:
            self.streams.discard(queue)


async def _tell(request: Request) -> JSONResponse:
    db = request.app.state.services["queue"].db
    await db.write(lambda uow: feed.tell(uow, UNIT, "call", **CALL), actor="bench")
    for wake in db.context.after_emit:  # a call emits an event, too
        wake()
    return JSONResponse({})


def _serve(which: str, folder: Path, port: int) -> None:
    app: Any = Raw()
    if which == "product":
        app = product(folder)
        app.router.routes.append(Route("/bench/tell", _tell))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, access_log=False, log_level="warning", timeout_graceful_shutdown=1
    )
    (LeavingServer if which == "product" else uvicorn.Server)(config).run()


async def _prepare(folder: Path) -> str:
    """The branch, and a manager's session; the cookie."""
    async with system([SPEC], folder, clock=SystemClock()) as bank:
        await learn(bank.runtime("queue").db, *SMALL_BANK)
        who = Principal("M0001", "M0001", frozenset({"branch_manager"}), (UNIT,))
        return str(await bank.app.state.sessions.open(who))


@contextmanager
def _running(which: str, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "tests.bench.streams", which, str(folder), str(port)])
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/bench/tell", timeout=5)
                break
            except httpx.TransportError:
                if time.monotonic() > until or child.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port, psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(30)


def _usage(process: psutil.Process) -> Usage:
    times = process.cpu_times()
    return Usage(times.user + times.system, process.memory_info().rss)


class Screens:
    """Streams that somebody looks at: what came, in bytes and in calls."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._tasks: list[asyncio.Task[None]] = []
        self._reached = asyncio.Event()
        self._wanted = (0, 0)
        self._failed: BaseException | None = None
        self.size = self.calls = self.open = 0

    async def more(self, count: int) -> None:
        """Open ``count`` streams, some at a time, and wait for the first word of each."""
        gate = asyncio.Semaphore(50)
        self._tasks += [asyncio.create_task(self._hold(gate)) for _ in range(count)]
        await self._until(self.open + count, self.calls)

    async def hear(self, messages: int) -> None:
        """Have ``messages`` told, one after the other, each heard by everybody."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=PATIENCE) as bank:
            for _ in range(messages):
                wanted = self.calls + self.open
                (await bank.get("/bench/tell")).raise_for_status()
                await self._until(self.open, wanted)

    async def close(self) -> None:
        """Close them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until(self, streams: int, calls: int) -> None:
        self._wanted = (streams, calls)
        self._reached.clear()
        self._look()
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()
        if self._failed is not None:
            raise SystemExit(f"the bench's streams were ended: {self._failed}")

    def _look(self) -> None:
        if (self.open, self.calls) >= self._wanted and self.calls >= self._wanted[1]:
            self._reached.set()

    async def _hold(self, gate: asyncio.Semaphore) -> None:
        try:
            await self._held(gate)
        except (OSError, ValueError, EOFError) as error:
            self._failed = error
            self._reached.set()

    async def _held(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            head = f"GET /queue/live/{UNIT} HTTP/1.1\r\nHost: bench\r\nCookie: wd_session={self._cookie}\r\n\r\n"
            writer.write(head.encode())
            first = await reader.readuntil(b"event: ")
            if b" 200 " not in first.splitlines()[0]:
                raise ValueError(f"refused: {first.splitlines()[0]!r}")
            self.open += 1
            self._look()
        rest = b""
        try:
            while data := await reader.read(65_536):
                self.size += len(data)
                rest += data
                self.calls += rest.count(MARK)
                rest = rest[1 - len(MARK) :]
                self._look()
            raise EOFError("the server closed it")
        finally:
            writer.close()


async def _cost(port: int, process: psutil.Process, cookie: str) -> tuple[float, float]:
    """Microseconds of CPU and bytes on the line, of a message for one stream."""
    screens = Screens(port, cookie)
    await screens.more(STREAMS)
    await screens.hear(3)
    before, calls, size = _usage(process), screens.calls, screens.size
    await screens.hear(MESSAGES)
    after, heard, came = _usage(process), screens.calls - calls, screens.size - size
    await screens.close()
    return (after.cpu - before.cpu) / heard * 1e6, came / heard


async def _held(port: int, process: psutil.Process, cookie: str) -> float:
    """Megabytes above idle that :data:`HELD` streams take that have heard something."""
    warm = Screens(port, cookie)
    await warm.more(50)
    await warm.hear(3)
    await warm.close()
    idle = _usage(process).rss
    screens = Screens(port, cookie)
    await screens.more(HELD)
    await screens.hear(3)
    held = _usage(process).rss
    await screens.close()
    return (held - idle) / 1e6


def _measure(which: str, folder: Path, cookie: str, what: Any) -> Any:
    with _running(which, folder) as (port, process):
        return asyncio.run(what(port, process, cookie))


def run() -> list[Row]:
    """Medians of interleaved rounds; CPU and bytes as what raw frames take over what ours do."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < HELD + 200:
        raise SystemExit(f"{HELD} streams need as many open files: `ulimit -Hn` says {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * HELD + 1_000) if most > 0 else 2 * HELD, most))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cookie = asyncio.run(_prepare(folder))
        both = ("product", "floor")
        rounds = [{which: _measure(which, folder, cookie, _cost) for which in both} for _ in range(ROUNDS)]
        held = _measure("product", folder, cookie, _held)

    rows = []
    for name, part, unit in (("CPU", 0, "messages a second of one core"), ("bytes", 1, "messages a megabyte")):
        # The round in the middle by its ratio: both of a pair ran in the same minute.
        pairs = sorted(rounds, key=lambda each: each["floor"][part] / each["product"][part])
        middle = pairs[len(pairs) // 2]
        ours, bare = 1e6 / middle["product"][part], 1e6 / middle["floor"][part]
        rows.append(Row(f"live stream, {name} of a message / raw frames", ours, unit, bare, 0.8))
    title = f"{HELD:,} live streams held by one process, above idle"
    return [*rows, Row(title, held, "MB", wanted=HELD_WITHIN, at_most=True)]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps([row.dump() for row in run()], indent=1))
