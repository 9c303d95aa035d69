"""One subject, two clients: each test of the suite runs on the sync and on the async one."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from wangdian_client import AsyncPages, AsyncWangdian, Pages, Retry, Wangdian

Handler = Callable[[httpx.Request], httpx.Response]


class FakeTime:
    """Time that passes only by sleeping; `pauses` is what was slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Server:
    """Answers with the prepared replies in turn (the last one for ever) and keeps the requests with their bodies."""

    def __init__(self, *replies: httpx.Response | Exception) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("Idempotency-Key") for request in self.requests]


class Subject:
    """A client of either kind against a handler; `do` executes an operation and hides whether it is awaited."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.time = FakeTime()
        self.client: Any = None

    def on(self, handler: Handler, *, retry: Retry | None = None, **options: Any) -> "Subject":
        options.setdefault("token", "secret")
        if "token_provider" in options:
            del options["token"]
        policy = retry or Retry(uniform=lambda low, high: high)
        options["retry"] = Retry(
            policy.attempts, policy.base, policy.cap, policy.total, policy.uniform, self.time.monotonic
        )
        make, sleep = (Wangdian, self.time.sleep) if self.style == "sync" else (AsyncWangdian, self.time.asleep)
        self.client = make("http://bank.test/api", transport=httpx.MockTransport(handler), sleep=sleep, **options)  # type: ignore[operator]
        return self

    async def do(self, operation: Callable[[Any], Any]) -> Any:
        result = operation(self.client)
        if isinstance(result, AsyncPages):
            return [item async for item in result]
        if isinstance(result, Pages):
            return list(result)
        return await result if inspect.isawaitable(result) else result

    async def close(self) -> None:
        if isinstance(self.client, AsyncWangdian):
            await self.client.aclose()
        elif self.client is not None:
            self.client.close()


@pytest.fixture(params=["sync", "async"])
async def subject(request: pytest.FixtureRequest) -> Any:
    subject = Subject(request.param)
    yield subject
    await subject.close()


@pytest.fixture
def server() -> type[Server]:
    return Server
