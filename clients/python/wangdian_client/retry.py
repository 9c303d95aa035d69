"""When a call is sent again, and after how long."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

import httpx

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RETRIED_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


@dataclass(frozen=True)
class Retry:
    """Bounds of the attempts at one call.

    At most `attempts` requests; the pause before attempt n+1 is drawn evenly from 0 to `base` * 2**(n-1), at most
    `cap` seconds (full jitter: a crowd of kiosks that lost the server together does not come back together). A
    `Retry-After` is a floor, to which a draw from 0 to `base` is added. No attempt starts later than `total` seconds
    after the first. `uniform` and `monotonic` are there for tests.
    """

    attempts: int = 5
    base: float = 0.2
    cap: float = 5.0
    total: float = 30.0
    uniform: Callable[[float, float], float] = SystemRandom().uniform
    monotonic: Callable[[], float] = time.monotonic

    def pause(self, sent: int, retry_after: float | None) -> float:
        """Seconds to wait after `sent` attempts, the last of which was answered with `retry_after` or nothing."""
        if retry_after is not None:
            return retry_after + self.uniform(0, self.base)
        # The exponent is bounded because a patient policy may allow thousands of attempts, and 2.0**1024 overflows.
        return self.uniform(0, min(self.cap, self.base * 2.0 ** min(sent - 1, 32)))


NO_RETRY = Retry(attempts=1)
"""Send once: for callers that bring their own loop."""


def retry_after(response: httpx.Response) -> float | None:
    """Seconds named by `Retry-After` (a number or an HTTP date, RFC 9110 §10.2.3), None if absent or unreadable.

    A date is compared with the reply's own `Date` where there is one, so a wrong clock on this machine does not matter.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    now = _http_date(response.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def worth_retrying(response: httpx.Response) -> bool:
    """Whether the same request may succeed later.

    A conflict may only when the server says so by `Retry-After` (`reference_not_yet_known`): any other is a decision.
    """
    if response.status_code == 409:
        return retry_after(response) is not None
    return response.status_code in RETRIED_STATUSES


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
