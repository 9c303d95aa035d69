"""Executing what resources describe: the only two classes that know whether a client is sync or async."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

import httpx

from wangdian_client.calls import Call, Listing, Script
from wangdian_client.exchange import Exchange, Settings
from wangdian_client.problems import WangdianError

T = TypeVar("T")
TokenProvider = Callable[[], str]
AsyncTokenProvider = Callable[[], str | Awaitable[str]]


class SyncRunner:
    """Runs descriptions on an `httpx.Client`; as thread-safe as that is."""

    def __init__(
        self, http: httpx.Client, token: TokenProvider | None, settings: Settings, sleep: Callable[[float], None]
    ) -> None:
        self.http = http
        self.token = token
        self.settings = settings
        self.sleep = sleep

    def run(self, described: Call[T] | Script[T]) -> T:
        """Execute a call, or a script to its end."""
        if isinstance(described, Call):
            return self._send(described)
        reply = None
        while True:
            try:
                step = described.send(reply)
            except StopIteration as end:
                return end.value
            reply = None
            if isinstance(step, Call):
                reply = self._send(step)
            else:
                self.sleep(step.seconds)

    def _send(self, call: Call[T]) -> T:
        exchange = Exchange(call, self.settings)
        while True:
            token = None if call.anonymous or self.token is None else self.token()
            try:
                with call.body() as body:
                    response = self.http.send(exchange.request(self.http, token, body))
            except httpx.TransportError as error:
                pause: float | None = exchange.failed(error)
            else:
                pause = exchange.answered(response)
            if pause is None:
                return exchange.result(response)
            self.sleep(pause)


class AsyncRunner:
    """Runs descriptions on an `httpx.AsyncClient`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: AsyncTokenProvider | None,
        settings: Settings,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.http = http
        self.token = token
        self.settings = settings
        self.sleep = sleep

    async def run(self, described: Call[T] | Script[T]) -> T:
        """Execute a call, or a script to its end."""
        if isinstance(described, Call):
            return await self._send(described)
        reply = None
        while True:
            try:
                step = described.send(reply)
            except StopIteration as end:
                return end.value
            reply = None
            if isinstance(step, Call):
                reply = await self._send(step)
            else:
                await self.sleep(step.seconds)

    async def _send(self, call: Call[T]) -> T:
        exchange = Exchange(call, self.settings)
        while True:
            token = None if call.anonymous or self.token is None else self.token()
            if inspect.isawaitable(token):
                token = await token
            try:
                with call.body() as body:
                    response = await self.http.send(exchange.request(self.http, token, body))
            except httpx.TransportError as error:
                pause: float | None = exchange.failed(error)
            else:
                pause = exchange.answered(response)
            if pause is None:
                return exchange.result(response)
            await self.sleep(pause)


class Pages(Generic[T]):
    """The items of a list, fetched page by page while iterating; each new iteration starts from the first page."""

    def __init__(self, runner: SyncRunner, listing: Listing[T]) -> None:
        self._runner = runner
        self._listing = listing

    def __iter__(self) -> Iterator[T]:
        cursor = None
        while True:
            page = self._runner.run(self._listing.page(cursor))
            yield from page["items"]
            cursor = _following(page, cursor)
            if cursor is None:
                return


class AsyncPages(Generic[T]):
    """The items of a list for `async for`, fetched page by page; each new iteration starts from the first page."""

    def __init__(self, runner: AsyncRunner, listing: Listing[T]) -> None:
        self._runner = runner
        self._listing = listing

    async def __aiter__(self) -> AsyncIterator[T]:
        cursor = None
        while True:
            page = await self._runner.run(self._listing.page(cursor))
            for item in page["items"]:
                yield item
            cursor = _following(page, cursor)
            if cursor is None:
                return


def _following(page: dict[str, Any], cursor: str | None) -> str | None:
    following = page.get("next")
    if following is not None and following == cursor:
        raise WangdianError(f"the cursor of the next page is this page's own: {cursor}")
    return following
