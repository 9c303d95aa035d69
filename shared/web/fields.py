"""The kinds of parameters and fields that requests are made of; each is bounded."""

from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

PathId = Annotated[str, Path(pattern=_CODE, description="An id")]
UnitId = Annotated[str, Path(pattern=_CODE, description="A unit of the organisation", examples=["gz-001"])]
QueryUnit = Annotated[str, Query(pattern=_CODE, description="A unit of the organisation", examples=["gz-001"])]
CodeField = Annotated[str, StringConstraints(pattern=_CODE)]
LINK = r"^[A-Za-z0-9_-]{22}$"
LinkToken = Annotated[str, Path(pattern=LINK, description="A link token of 128 bits")]


def _printable(value: str) -> str:
    if any((ord(ch) < 32 and ch not in "\n\t") or ord(ch) == 127 or 0xD800 <= ord(ch) <= 0xDFFF for ch in value):
        raise ValueError("control characters are not allowed")
    return value


Text = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_printable)
]
"""Free text of a person; stays in its owner's database."""


class Command(BaseModel):
    """A request body: it is the command that the service carries out. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=2000)


Purpose = Annotated[
    str,
    Header(
        pattern=r"^[a-z][a-z0-9_]{2,63}$",
        description="Why protected data is asked for; it is recorded",
        examples=["survey_invitation"],
    ),
]
