"""``ETag`` is the row's version; ``If-Match`` guards a change."""

from typing import Annotated

from fastapi import Header

from shared.web.problems import StaleVersion

IfMatch = Annotated[str | None, Header(max_length=64, description="The ETag that the change is based on")]


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def check_version(if_match: str | None, version: int) -> None:
    """Refuse a change based on another version than the current one; no header, no check."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag(version) not in [part.strip() for part in if_match.split(",")]:
        raise StaleVersion(headers={"ETag": etag(version)}, version=version)
