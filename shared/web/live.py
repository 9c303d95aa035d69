"""Live updates over server-sent events: one poller a process, frames encoded once and sent as bytes to every stream.

A stream resumes after the number it was told last (``Last-Event-ID`` or ``after``). Frames: a kind of the feed with the
change's number as id; ``snapshot`` when what was missed is not known, so that the screen looks at everything anew;
``tick`` every eight seconds with the server's time and the newest number, so that a screen knows that it is not deaf.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.clock import Clock
from shared.db.database import Database
from shared.db.statements import Row
from shared.db.uow import Reads
from shared.observability.tracing import BENEATH
from shared.web import feed

POLL: Final = 0.5
TICK: Final = 8.0
KEPT: Final = 200
"""Frames a topic keeps in memory; who is further behind is answered from the table, or with a snapshot."""
FURTHEST: Final = 500
"""A screen that missed more than this is faster looking at everything anew."""
ASK_AGAIN: Final = 8
"""Ticks after which a stream asks whether its session still stands."""

_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}


def frame(kind: str, data: Any, seq: int | None = None) -> bytes:
    """One event as it is sent."""
    number = "" if seq is None else f"id: {seq}\n"
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"{number}event: {kind}\ndata: {body}\n\n".encode()


def _frame_of(row: Row) -> bytes:
    return frame(row.kind, row.data | {"at": row.at.isoformat()}, row.seq)


class _Topic:
    """What is watched, and by which streams."""

    __slots__ = ("frames", "seq", "streams", "tick", "ticks")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.frames: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self.streams: set[Stream] = set()
        self.tick = b""
        self.ticks = 0

    def wake(self) -> None:
        for stream in self.streams:
            stream.ring()


class Live:
    """The live topics of one service in this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._next_tick = 0.0
        self.closing = False

    async def turn(self) -> int:
        """Read what changed in the topics that are watched, and hand it on. Always 0: nothing is left to do."""
        if not self._topics:
            return 0
        now = await self._db.read(self._look)
        if (time := asyncio.get_running_loop().time()) >= self._next_tick:
            self._next_tick = time + TICK
            for topic in self._topics.values():
                topic.tick = self._tick(topic, now)
                topic.ticks += 1
                topic.wake()
        return 0

    async def _look(self, reads: Reads) -> datetime:
        watched = {name: topic.seq for name, topic in self._topics.items()}
        heads = await feed.heads(reads, list(watched))
        changed = [name for name, seq in heads.items() if seq != watched[name]]
        if changed:
            behind = max(heads[name] - watched[name] for name in changed)
            rows = await feed.since(reads, changed, min(max(behind, 1), FURTHEST))
            for name in changed:
                self._hand_on(name, heads[name], [row for row in rows if row.topic == name])
        return reads.now

    def _hand_on(self, name: str, newest: int, rows: list[Row]) -> None:
        topic = self._topics.get(name)
        if topic is None:
            return
        if topic.seq > newest:
            # The table was put back to an earlier day: every stream starts anew.
            topic.frames.clear()
        topic.frames.extend((row.seq, _frame_of(row)) for row in rows if row.seq > topic.seq)
        topic.seq = newest
        topic.wake()

    def _tick(self, topic: _Topic, now: datetime) -> bytes:
        return frame("tick", {"now": now.isoformat(), "seq": topic.seq})

    async def watch(self, name: str, stream: "Stream") -> _Topic:
        """The topic, known to the poller from now on."""
        if name not in self._topics:
            seq = await self._db.read(lambda reads: feed.head(reads, name))
            self._topics.setdefault(name, _Topic(seq))
        topic = self._topics[name]
        topic.streams.add(stream)
        return topic

    def leave(self, name: str, stream: "Stream") -> None:
        """The stream has ended; a topic that nobody watches is forgotten."""
        topic = self._topics.get(name)
        if topic is not None:
            topic.streams.discard(stream)
            if not topic.streams:
                del self._topics[name]

    async def missed(self, name: str, topic: _Topic, cursor: int | None) -> tuple[int, bytes]:
        """What a stream that knows ``cursor`` is to be sent first, and the number it knows then."""
        seq, now = topic.seq, self._clock.now()
        if cursor is None or not 0 <= seq - cursor <= FURTHEST:
            return seq, frame("snapshot", {"now": now.isoformat(), "seq": seq}, seq)
        rows: list[Row] = []
        if cursor < seq:
            rows = await self._db.read(lambda reads: feed.since(reads, [name], FURTHEST))
            rows = [row for row in rows if row.seq > cursor]
        # Rows are kept for an hour: without the first one, nobody knows what was in it.
        if cursor < seq and (not rows or rows[0].seq != cursor + 1):
            return seq, frame("snapshot", {"now": now.isoformat(), "seq": seq}, seq)
        last = rows[-1].seq if rows else seq
        frames = b"".join(map(_frame_of, rows))
        return last, frames + frame("tick", {"now": now.isoformat(), "seq": last})

    def close(self) -> None:
        """End every stream: the process stops, and their screens find another one."""
        self.closing = True
        for topic in self._topics.values():
            topic.wake()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(topic.streams) for topic in self._topics.values())


class Stream(Response):
    """The reply that goes on: one screen's stream of one topic.

    ``still`` is asked every minute whether the session that opened it still stands.
    """

    def __init__(self, live: Live, name: str, cursor: int | None, still: Callable[[], Awaitable[bool]]) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)
        self._waits: asyncio.Future[None] | None = None
        self._live, self._name, self._cursor, self._still = live, name, cursor, still

    def ring(self) -> None:
        """Something may have changed for this stream. (An :class:`asyncio.Event` costs a tenth of all the work.)"""
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, the session ends or the process stops."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        gone.add_done_callback(lambda _: self.ring())
        topic = await self._live.watch(self._name, self)
        # A task of its own is woken without the layers that stand around a request, and no frame passes them on its
        # way out: of 2,000 streams, that is half the work.
        writing = asyncio.create_task(self._run(topic, gone, scope.get(BENEATH, send)))
        try:
            await writing
        finally:
            self._live.leave(self._name, self)
            gone.cancel()
        if not gone.done() or gone.cancelled():
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, topic: _Topic, gone: "asyncio.Future[None]", send: Send) -> None:
        cursor, first = await self._live.missed(self._name, topic, self._cursor)
        await _send(send, first)
        ticks = began = topic.ticks
        loop = asyncio.get_running_loop()
        while not gone.done() and not self._live.closing:
            if topic.seq != cursor:
                newest = topic.frames[-1] if topic.frames else (-1, b"")
                cursor, body = newest if newest[0] == cursor + 1 else await self._next(topic, cursor)
                await send({"type": "http.response.body", "body": body, "more_body": True})
                continue
            if topic.ticks != ticks:
                ticks = topic.ticks
                if (ticks - began) % ASK_AGAIN == 0 and not await self._still():
                    return
                await _send(send, topic.tick)
                continue
            # Nothing can ring between what was looked at and here, as nothing is awaited in between.
            self._waits = loop.create_future()
            await self._waits

    async def _next(self, topic: _Topic, cursor: int) -> tuple[int, bytes]:
        frames = [(seq, body) for seq, body in topic.frames if seq > cursor]
        if frames and frames[0][0] == cursor + 1:
            return frames[-1][0], b"".join(body for _, body in frames)
        return await self._live.missed(self._name, topic, cursor)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def stream(request: Request, service: str, topic: str) -> Stream:
    """The stream that a page of ``service`` asked for; the caller has seen to who may watch ``topic``."""
    asked = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    cursor = int(asked) if asked.isdecimal() and len(asked) <= 18 else None
    state = request.app.state
    return Stream(state.services[service].live, topic, cursor, lambda: state.site.seated(request))
