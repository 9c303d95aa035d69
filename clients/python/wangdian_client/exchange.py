"""The life of one call, without input or output: what is sent, and what follows from each outcome."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from wangdian_client.calls import Call
from wangdian_client.problems import Busy, Unreachable, problem_from
from wangdian_client.retry import RETRIED_ERRORS, Retry, retry_after, worth_retrying
from wangdian_client.tracing import current_traceparent

T = TypeVar("T")


@dataclass(frozen=True)
class Acknowledged:
    """A write the server has answered with 2xx, and therefore keeps: `key` is its idempotency key."""

    kind: str
    method: str
    path: str
    key: str
    status: int
    reply: Any
    attempts: int


Observer = Callable[[Acknowledged], None]


@dataclass(frozen=True)
class Settings:
    """What all calls of one client share."""

    retry: Retry
    headers: Mapping[str, str]
    on_acknowledged: Observer | None = None


class Exchange(Generic[T]):
    """One call on its way. The idempotency key is chosen here, once, so all attempts carry the same."""

    def __init__(self, call: Call[T], settings: Settings) -> None:
        self.call = call
        self._settings = settings
        self._retry = settings.retry
        self._key = (call.key or str(uuid.uuid4())) if call.writes else None
        self._sent = 0
        self._until: float | None = None

    def request(
        self, http: httpx.Client | httpx.AsyncClient, token: str | None, body: Mapping[str, Any]
    ) -> httpx.Request:
        """The request of the next attempt. `token` is asked for at each one, because it may have expired meanwhile."""
        if self._until is None:
            self._until = self._retry.monotonic() + self._retry.total
        self._sent += 1
        headers = {
            "Authorization": f"Bearer {token}" if token and not self.call.anonymous else None,
            "Idempotency-Key": self._key,
            "If-Match": self.call.if_match,
            "traceparent": current_traceparent(),
        }
        options: dict[str, Any] = {} if self.call.timeout is None else {"timeout": self.call.timeout}
        return http.build_request(
            self.call.method,
            self.call.path,
            params={name: value for name, value in self.call.params.items() if value is not None} or None,
            headers={**self._settings.headers, **{name: value for name, value in headers.items() if value is not None}},
            **body,
            **options,
        )

    def answered(self, response: httpx.Response) -> float | None:
        """None if the reply is the call's result, or the seconds to wait before the next attempt.

        Raises `Problem` for a refusal that will not change, or when the bounds are reached.
        """
        if response.is_success:
            return None
        wait = retry_after(response)
        if worth_retrying(response):
            pause = self._pause(wait)
            if pause is not None:
                return pause
        problem = problem_from(response)
        problem.idempotency_key = self._key
        if isinstance(problem, Busy):
            problem.retry_after = wait
        raise problem

    def failed(self, error: httpx.TransportError) -> float:
        """The seconds to wait after an attempt without a reply. Raises `Unreachable` when the bounds are reached."""
        if isinstance(error, RETRIED_ERRORS):
            pause = self._pause(None)
            if pause is not None:
                return pause
        unreachable = Unreachable(
            f"{self.call.method} {self.call.path}: {type(error).__name__} after {self._sent} attempt(s)",
            attempts=self._sent,
        )
        unreachable.idempotency_key = self._key
        raise unreachable from error

    def result(self, response: httpx.Response) -> T:
        """The call's result; an acknowledged write is told to the observer first."""
        reply = self.call.read(response)
        if self._key is not None and self._settings.on_acknowledged is not None:
            self._settings.on_acknowledged(
                Acknowledged(
                    kind=self.call.kind,
                    method=self.call.method,
                    path=self.call.path,
                    key=self._key,
                    status=response.status_code,
                    reply=reply,
                    attempts=self._sent,
                )
            )
        return reply

    def _pause(self, wait: float | None) -> float | None:
        if self._sent >= self._retry.attempts:
            return None
        pause = self._retry.pause(self._sent, wait)
        if self._until is not None and self._retry.monotonic() + pause > self._until:
            return None
        return pause
