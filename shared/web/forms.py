"""Forms of pages: what each carries besides its fields.

``key`` is minted when the form is shown: a double click, the back button and a retry give the answer that was stored
under it. ``version`` is the object's version that the person saw: a write based on another one is refused (412).
"""

from typing import Annotated

from fastapi import Form, Request

from shared.ids import uuid7
from shared.web.etags import etag
from shared.web.problems import KeyRequired, Problem

FormVersion = Annotated[int | None, Form(alias="version", ge=0, description="The version that the form was made from")]


class ForeignOrigin(Problem):
    """A write that does not come from one of our own pages."""

    status = 403
    code = "foreign_origin"
    title_zh = "请求并非来自本系统页面"
    title_en = "The request does not come from a page of this system"


def new_key() -> str:
    """The key of a form that is being shown."""
    return uuid7()


def if_match(version: int | None) -> str | None:
    """The form's version as ``If-Match``."""
    return None if version is None else etag(version)


async def form_key(request: Request) -> str:
    """The key that the form carries; :class:`KeyRequired` without one."""
    found = (await request.form()).get("key")
    if not isinstance(found, str) or not found:
        raise KeyRequired(pointer="/key")
    return found


def check_origin(request: Request) -> None:
    """Refuse a write from elsewhere: Origin is ours, and so is the site, by the browser's own word.

    Browsers leave Sec-Fetch-Site out over plain HTTP to another machine; there Origin alone must do.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    host = origin.partition("://")[2]
    if site not in (None, "same-origin") or not host or host != request.headers.get("host"):
        raise ForeignOrigin


def local_path(path: str | None) -> str:
    """``path`` if it leads to a page of ours, else ``/``: a link that signs people in must not lead them away."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return path
