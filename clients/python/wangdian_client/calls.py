"""What a resource method describes: a call, a listing of pages, or a script of several calls.

Descriptions hold no connection and do no input or output, so the sync and the async client execute the same ones.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import quote

import httpx

T = TypeVar("T")
Param = str | int | float | bool | None
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Document(dict[str, Any]):
    """A JSON object of a reply that remembers the reply's `ETag` and `Location` headers."""

    etag: str | None = None
    location: str | None = None


def etag_of(document: object) -> str | None:
    """The `ETag` a document was answered with, to be sent back as `if_match`; None if it had none.

    An item of a list has no `ETag` of its own: get it singly first.
    """
    return getattr(document, "etag", None)


def location_of(document: object) -> str | None:
    """The `Location` a document was answered with, or None."""
    return getattr(document, "location", None)


def path(template: str, *segments: object) -> str:
    """Fill the `{}` of a path, each value percent-encoded as one segment, so that an id never changes the route."""
    return template.format(*(quote(str(segment), safe="") for segment in segments))


@dataclass(frozen=True)
class Upload:
    """A multipart body: form fields and one file, opened anew for every attempt and streamed from the disk."""

    file: Path
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how its reply is read.

    `key` is the caller's own `Idempotency-Key`; a write without one gets one when it is executed. `anonymous` calls
    carry no bearer token: a customer's phone only holds the ticket or survey token in the path. `timeout` in seconds
    overrides the client's. `kind` names the operation (`queue.tickets.issue`) to observers.
    """

    method: Method
    path: str
    json: Any = None
    params: Mapping[str, Param] = field(default_factory=dict)
    upload: Upload | None = None
    key: str | None = None
    if_match: str | None = None
    anonymous: bool = False
    timeout: float | None = None
    kind: str = "request"

    @property
    def writes(self) -> bool:
        """Whether the call changes state, and so is sent under an idempotency key."""
        return self.method != "GET"

    @contextmanager
    def body(self) -> Iterator[dict[str, Any]]:
        """The body as arguments of httpx's `build_request`; a file stays open for the length of the block."""
        if self.upload is not None:
            with self.upload.file.open("rb") as file:
                yield {"data": dict(self.upload.fields), "files": {"file": (self.upload.file.name, file)}}
        elif self.json is not None:
            yield {"json": self.json}
        else:
            yield {}

    def read(self, response: httpx.Response) -> T:
        """The reply's JSON, an object as a `Document` with its headers; None for an empty reply (204).

        Raises `ValueError` if a successful reply is not JSON, which only a device in between can cause.
        """
        if not response.content:
            return cast("T", None)
        reply = response.json()
        if isinstance(reply, dict):
            reply = Document(reply)
            reply.etag = response.headers.get("ETag")
            reply.location = response.headers.get("Location")
        return cast("T", reply)


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A list of `{items, next}` pages: how to ask for its first page, and how many items a page should hold."""

    path: str
    params: Mapping[str, Param] = field(default_factory=dict)
    limit: int | None = None
    kind: str = "list"

    def page(self, cursor: str | None) -> Call[Any]:
        """The call for the page that `cursor` points to; None is the first page."""
        return Call(
            method="GET", path=self.path, params={**self.params, "limit": self.limit, "cursor": cursor}, kind=self.kind
        )


@dataclass(frozen=True)
class Pause:
    """A step of a script: wait this many seconds."""

    seconds: float


Script = Generator[Call[Any] | Pause, Any, T]
"""Several calls as one operation: yields calls (and is sent their replies) and pauses, returns the result."""
