"""Kinds of fields that several features of this service share."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999


def _written_out(value: Any) -> Any:
    # Without this, pydantic takes a bare number for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("an instant is written as RFC 3339 with its offset")


def _in_utc(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""An instant, RFC 3339 with offset; kept in UTC."""


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def unchanged() -> Any:
    """The default of a field of a PATCH body: left out means unchanged, while null is a value or refused."""
    return Field(default=None, json_schema_extra=_without_default)
