"""What clients asked and what they were told, as JSON lines: invocations before they are sent, answers as they come."""

import base64
import itertools
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

UNDECIDED = frozenset({429, 500, 502, 503, 504})
"""Answers after which the request is repeated: they do not say whether it had its effect."""


class Book:
    """The file, and how many clients ask for a reading after a write of theirs (every ``echo``-th; 0: none)."""

    def __init__(self, file: Path, *, echo: int = 3) -> None:
        self._file = file.open("a", encoding="utf-8", buffering=1)
        self.echo = echo
        self.numbers = itertools.count(1)

    def write(self, **line: Any) -> None:
        """One line, with the moment on one clock for all clients."""
        self._file.write(json.dumps({"at": time.monotonic(), **line}, ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def client_of(request: httpx.Request) -> str:
    """Whose request it is: the subject of its token."""
    token = request.headers.get("authorization", "").rpartition(" ")[2]
    if token.count(".") != 2:
        return "anonymous"
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])


@dataclass
class Historian(httpx.AsyncBaseTransport):
    """A transport that writes down the requests to the queue; writes of one key are one operation.

    After some writes about a visit the same client reads that visit at once, as a page does that shows what it did.
    """

    book: Book
    inner: httpx.AsyncBaseTransport = field(default_factory=lambda: httpx.AsyncHTTPTransport(retries=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send on."""
        if not request.url.path.startswith("/queue/v1/"):
            return await self.inner.handle_async_request(request)
        response, reply = await self._told(request, request.headers.get("idempotency-key"))
        visit = reply.get("id") if request.method == "POST" and isinstance(reply, dict) and "number" in reply else None
        if visit and self.book.echo and next(self.book.numbers) % self.book.echo == 0:
            path = request.url.copy_with(raw_path=f"/queue/v1/visits/{visit}".encode())
            headers = {"authorization": request.headers["authorization"], "host": request.headers["host"]}
            # Without an answer it stays written down as an operation that has none.
            with suppress(httpx.TransportError):
                await self._told(httpx.Request("GET", path, headers=headers, extensions=request.extensions), None)
        return response

    async def _told(self, request: httpx.Request, key: str | None) -> tuple[httpx.Response, Any]:
        name = key or f"read-{next(self.book.numbers)}"
        self.book.write(
            kind="invoke", key=name, client=client_of(request), method=request.method, path=request.url.path
        )
        response = await self.inner.handle_async_request(request)
        body = await response.aread()
        reply = json.loads(body) if response.is_success and body else None
        if response.status_code not in UNDECIDED:
            self.book.write(kind="answer", key=name, status=response.status_code, reply=reply)
        return response, reply

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()
