"""Refusals as exceptions: each `application/problem+json` (RFC 9457) reply becomes the class of its status."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx


class WangdianError(Exception):
    """Anything this client raises about a call. `idempotency_key` lets a caller try the same write again later."""

    idempotency_key: str | None = None


class Unreachable(WangdianError):
    """No reply after all attempts: whether a write took effect is unknown; sent again under its key it is safe.

    `attempts` counts what was sent; `__cause__` is the last error of the transport.
    """

    def __init__(self, message: str, *, attempts: int) -> None:
        super().__init__(message)
        self.attempts = attempts


class Problem(WangdianError):
    """A reply of 400 or above. `code` and `type` are stable; `title` and `detail` follow `Accept-Language`.

    `errors` names fields by JSON pointer, `trace_id` finds the request in the server's logs, `extra` holds the
    problem's further members. A body that is not JSON (a gateway's page) gives `code` `http_<status>` and no detail.
    """

    statuses: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        type: str = "about:blank",  # noqa: A002 - the member's name in RFC 9457
        title: str = "",
        detail: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        trace_id: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.code = code or f"http_{status}"
        self.type = type
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.trace_id = trace_id
        self.extra = dict(extra or {})
        super().__init__(f"{status} {self.code}: {detail or title}")


class Unauthorised(Problem):
    """401: no token, or one that is expired or not meant for this system."""

    statuses = (401,)


class Forbidden(Problem):
    """403: the token's role may not do this."""

    statuses = (403,)


class NotFound(Problem):
    """404: no such object, or one of a unit outside the token's part of the tree."""

    statuses = (404,)


class Conflict(Problem):
    """409: the object's state does not allow this, or a gate refuses it (`code`, for instance `not_qualified`)."""

    statuses = (409,)

    @property
    def state(self) -> str | None:
        """The object's current state, where the refusal is about a transition."""
        return self.extra.get("state")

    @property
    def allowed(self) -> list[str]:
        """What may be done from that state."""
        return list(self.extra.get("allowed") or ())


class StaleVersion(Problem):
    """412: the object has changed since the `ETag` in `if_match`; get it again and decide anew."""

    statuses = (412,)


class Invalid(Problem):
    """422: fields are missing or wrong (`errors`), or a key was used before with another body."""

    statuses = (422,)


class Busy(Problem):
    """429, 502, 503 or 504, still so after all attempts; `retry_after` in seconds where the server said.

    Of 502 and 504 nobody knows whether a write took effect: sent again under its key it is safe.
    """

    statuses = (429, 502, 503, 504)
    retry_after: float | None = None


_BY_STATUS: dict[int, type[Problem]] = {status: kind for kind in Problem.__subclasses__() for status in kind.statuses}
_MEMBERS = frozenset({"status", "code", "type", "title", "detail", "errors", "trace_id"})


def problem_from(response: httpx.Response) -> Problem:
    """The exception for a read reply of 400 or above, whatever its body holds."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {}
    errors = body.get("errors")
    return _BY_STATUS.get(response.status_code, Problem)(
        response.status_code,
        code=str(body.get("code") or ""),
        type=str(body.get("type") or "about:blank"),
        title=str(body.get("title") or response.reason_phrase),
        detail=body.get("detail"),
        errors=errors if isinstance(errors, list) else (),
        trace_id=body.get("trace_id"),
        extra={name: value for name, value in body.items() if name not in _MEMBERS},
    )
