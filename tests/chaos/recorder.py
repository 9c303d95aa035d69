"""Every write that was sent and what came back, byte for byte, beside the demo's own journal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

SENDERS = 8


@dataclass
class Sent:
    """One write under one key; ``status`` is None until a reply of 2xx has arrived."""

    method: str
    path: str
    key: str
    headers: dict[str, str]
    body: bytes
    attempts: int = 0
    status: int | None = None
    reply: bytes = b""


@dataclass
class Recorder(httpx.AsyncBaseTransport):
    """A transport that remembers writes by their key; ``connect`` makes what it sends by."""

    connect: Callable[[], httpx.AsyncBaseTransport] = lambda: httpx.AsyncHTTPTransport(retries=0)
    sent: dict[str, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inner = self.connect()

    def again(self) -> "Recorder":
        """A transport with connections of its own, and the same memory."""
        return Recorder(self.connect, self.sent)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send on; a write is remembered before it is sent, its reply before the caller has it."""
        key = request.headers.get("idempotency-key")
        if request.method == "GET" or key is None:
            return await self.inner.handle_async_request(request)
        write = self.sent.get(key)
        if write is None:
            kept = {
                name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers
            }
            write = Sent(request.method, request.url.path, key, kept, await request.aread())
            self.sent[key] = write
        write.attempts += 1
        response = await self.inner.handle_async_request(request)
        if response.is_success:
            write.reply, write.status = await response.aread(), response.status_code
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()

    @property
    def acknowledged(self) -> list[Sent]:
        """The writes that a 2xx was received for."""
        return [write for write in self.sent.values() if write.status is not None]

    @property
    def unanswered(self) -> list[Sent]:
        """The writes that were cut off: they may have had their effect or not."""
        return [write for write in self.sent.values() if write.status is None]


async def send_again(base_url: str, writes: list[Sent]) -> list[httpx.Response]:
    """Send each once more, the very same request; the replies in the same order."""
    gate = asyncio.Semaphore(SENDERS)
    async with httpx.AsyncClient(base_url=base_url, timeout=60.0) as client:

        async def again(write: Sent) -> httpx.Response:
            async with gate:
                headers = write.headers | {"idempotency-key": write.key}
                return await client.request(write.method, write.path, headers=headers, content=write.body)

        return await asyncio.gather(*map(again, writes))


async def repeat_unanswered(base_url: str, recorder: Recorder) -> int:
    """Send once more what was cut off, and remember what is acknowledged now; how many were cut off."""
    cut_off = recorder.unanswered
    for write, reply in zip(cut_off, await send_again(base_url, cut_off), strict=True):
        if reply.is_success:
            write.status, write.reply = reply.status_code, reply.content
    return len(cut_off)


async def replies_kept(base_url: str, recorder: Recorder) -> list[str]:
    """Each acknowledged write is there: its key brings the same status and the same bytes; those that are lost."""
    writes = recorder.acknowledged
    lost = []
    for write, reply in zip(writes, await send_again(base_url, writes), strict=True):
        if (reply.status_code, reply.content) != (write.status, write.reply):
            lost.append(f"{write.method} {write.path} {write.key}: {write.status}, then {reply.status_code}")
    return lost
