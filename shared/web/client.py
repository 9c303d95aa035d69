"""Claim check: asking another service for the part that an event does not carry.

Each call names its purpose, which the owner logs; it is bounded in time, tried twice, and stops knocking for a while
at a service that does not answer. Never inside a unit of work and never on a hot path.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.observability.tracing import current_traceparent

TIMEOUT = 5.0
OPEN_AFTER = 5
OPEN_FOR = 15.0
LARGEST = 1 << 20
"""Bytes of an answer: ours are small, and what is larger is none of ours."""


class PeerUnavailable(Exception):
    """The other service did not give a usable answer; ask again later."""


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    closed_at: float = field(default=0.0)

    def allows(self) -> bool:
        return self.failures < OPEN_AFTER or time.monotonic() >= self.closed_at

    def record(self, *, good: bool) -> None:
        self.failures = 0 if good else self.failures + 1
        if not good:
            self.closed_at = time.monotonic() + OPEN_FOR


class Peers:
    """HTTP to the other services, with a service's token; embedded mode goes through ASGI in the same process."""

    def __init__(self, client: httpx.AsyncClient, token: Callable[[], Awaitable[str]]) -> None:
        self._client = client
        self._token = token
        self._breakers: dict[str, _Breaker] = {}

    async def get(self, path: str, *, purpose: str) -> Mapping[str, Any] | None:
        """The JSON object at ``path`` (``/queue/v1/…``), or None when its owner says 404."""
        service = path.split("/")[1]
        breaker = self._breakers.setdefault(service, _Breaker())
        if not breaker.allows():
            raise PeerUnavailable(f"{service} is not asked for a while")
        for attempt in (1, 2):
            try:
                answer = await self._client.get(path, headers=await self._headers(purpose), timeout=TIMEOUT)
            except httpx.HTTPError as error:
                if attempt == 2:
                    breaker.record(good=False)
                    raise PeerUnavailable(f"{service}: {type(error).__name__}") from error
                continue
            if answer.status_code == 404:
                breaker.record(good=True)
                return None
            if answer.status_code < 300:
                found = _object(answer)
                breaker.record(good=found is not None)
                if found is None:
                    raise PeerUnavailable(f"{service}: the answer is no JSON object")
                return found
            if answer.status_code < 500 or attempt == 2:
                breaker.record(good=answer.status_code < 500)
                raise PeerUnavailable(f"{service}: {answer.status_code}")
        raise PeerUnavailable(service)

    async def _headers(self, purpose: str) -> dict[str, str]:
        return {
            "authorization": f"Bearer {await self._token()}",
            "x-purpose": purpose,
            "traceparent": current_traceparent(),
        }

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _object(answer: httpx.Response) -> dict[str, Any] | None:
    """The JSON object that the answer holds, None if it holds anything else: no other service is believed blindly."""
    if len(answer.content) > LARGEST:
        return None
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
