"""The two clients: one API, executed at once or awaited."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from wangdian_client.calls import Call, Method, Param
from wangdian_client.exchange import Observer, Settings
from wangdian_client.resources.aggregator import Aggregator
from wangdian_client.resources.base import Resource, X, operation
from wangdian_client.resources.queue import Queue
from wangdian_client.resources.staff import Staff
from wangdian_client.resources.surveys import Surveys
from wangdian_client.retry import Retry
from wangdian_client.runners import AsyncRunner, AsyncTokenProvider, SyncRunner, TokenProvider
from wangdian_client.version import __version__

P = TypeVar("P")

DEFAULT_TIMEOUT = 10.0
"""Seconds to connect, and to wait for each part of a reply."""


class Api(Resource[X]):
    """What both clients offer: `staff`, `queue`, `surveys`, `aggregator`, and `request` for all else."""

    def __init__(self, runner: X) -> None:
        super().__init__(runner)
        self.staff = Staff(runner)
        self.queue = Queue(runner)
        self.surveys = Surveys(runner)
        self.aggregator = Aggregator(runner)

    @operation
    def request(
        self,
        method: Method,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Param] | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Any]:
        """An operation that has no method here yet, with the same keys, retries and problems; the reply's JSON."""
        return Call(method=method, path=path, json=json, params=params or {}, if_match=if_match, key=idempotency_key)


class Wangdian(Api[SyncRunner]):
    """The sync client. Close it, or use it as a context manager.

    `token` is a bearer token, `token_provider` returns one and is asked before every attempt. `language` is the
    `Accept-Language` of problem texts (zh-CN or en). `on_acknowledged` hears of every write the server has confirmed.
    `transport` and `sleep` replace network and waiting in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: Retry | None = None,
        language: str | None = None,
        user_agent: str | None = None,
        on_acknowledged: Observer | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        http = httpx.Client(base_url=base_url, timeout=timeout, transport=transport)
        settings = Settings(retry or Retry(), _headers(language, user_agent), on_acknowledged)
        super().__init__(SyncRunner(http, _provider(token, token_provider), settings, sleep))

    def acting(
        self,
        *,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        retry: Retry | None = None,
    ) -> Self:
        """This client under another identity, on the same connections: only the original is closed.

        `retry`, if given, bounds its attempts instead of the original's policy.
        """
        mine = self._runner
        settings = replace(mine.settings, retry=retry or mine.settings.retry)
        other = copy(self)
        Api.__init__(other, SyncRunner(mine.http, _provider(token, token_provider), settings, mine.sleep))
        return other

    def close(self) -> None:
        """Close all connections."""
        self._runner.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncWangdian(Api[AsyncRunner]):
    """The async client: the same names, awaited. Close it with `aclose`, or use it as an async context manager.

    Takes what `Wangdian` takes; `token_provider` may also return an awaitable.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        token_provider: AsyncTokenProvider | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: Retry | None = None,
        language: str | None = None,
        user_agent: str | None = None,
        on_acknowledged: Observer | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        http = httpx.AsyncClient(base_url=base_url, timeout=timeout, transport=transport)
        settings = Settings(retry or Retry(), _headers(language, user_agent), on_acknowledged)
        super().__init__(AsyncRunner(http, _provider(token, token_provider), settings, sleep))

    def acting(
        self,
        *,
        token: str | None = None,
        token_provider: AsyncTokenProvider | None = None,
        retry: Retry | None = None,
    ) -> Self:
        """This client under another identity, on the same connections: only the original is closed.

        `retry`, if given, bounds its attempts instead of the original's policy.
        """
        mine = self._runner
        settings = replace(mine.settings, retry=retry or mine.settings.retry)
        other = copy(self)
        Api.__init__(other, AsyncRunner(mine.http, _provider(token, token_provider), settings, mine.sleep))
        return other

    async def aclose(self) -> None:
        """Close all connections."""
        await self._runner.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _provider(token: str | None, provider: P | None) -> P | TokenProvider | None:
    if token is None:
        return provider
    if provider is not None:
        raise TypeError("give a token or a token_provider, not both")
    return lambda: token


def _headers(language: str | None, user_agent: str | None) -> dict[str, str]:
    own = f"wangdian-client/{__version__}"
    headers = {"User-Agent": f"{user_agent} {own}" if user_agent else own}
    if language:
        headers["Accept-Language"] = language
    return headers
