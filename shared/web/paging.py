"""Lists come in pages: ``{items, next}``, an opaque cursor, 50 rows unless asked, 200 at most."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from shared.web.problems import InvalidField

T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """One page of a list; ``next`` asks for the following one and is null on the last."""

    items: list[T]
    next: str | None = None


class PageAsked:
    """Where a page starts and how long it may be. ``after`` is the last row's sort key, '' at the beginning."""

    __slots__ = ("after", "limit")

    def __init__(self, limit: int, after: str) -> None:
        self.limit = limit
        self.after = after

    @property
    def fetch(self) -> int:
        """Rows to ask for: one more than shown, to know whether there is a next page."""
        return self.limit + 1


def page_asked(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> PageAsked:
    """The page that the query asks for."""
    if cursor is None:
        return PageAsked(limit, "")
    try:
        after = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if not isinstance(after, str) or len(after) > 200 or "\x00" in after:
            raise ValueError
        after.encode()
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidField("/query/cursor", "invalid_cursor", "The cursor is not one of ours", "游标无效") from None
    return PageAsked(limit, after)


Paging = Annotated[PageAsked, Depends(page_asked)]


def page(asked: PageAsked, rows: Sequence[R], key: Callable[[R], str], show: Callable[[R], T]) -> dict[str, Any]:
    """The members of a :class:`Page`: at most ``asked.limit`` rows shown, and the cursor of the next page."""
    shown = rows[: asked.limit]
    more = len(rows) > asked.limit
    cursor = base64.urlsafe_b64encode(json.dumps(key(shown[-1])).encode()).decode() if more else None
    return {"items": [show(row) for row in shown], "next": cursor}
