"""The base of every event's data, and the kinds of strings that may leave a service.

No direct identifier and no free text leaves its owner's database: a string field is declared a reference, a code or a
time of day, and a test refuses any other.
"""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

Ref = Annotated[str, StringConstraints(min_length=1, max_length=128), Field(json_schema_extra={"x-kind": "ref"})]
"""A reference to something by its id, never by a name."""

Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]*$"),
    Field(json_schema_extra={"x-kind": "code"}),
]
"""A word from a list: a service code, a class, a state."""

Zone = Annotated[
    str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"), Field(json_schema_extra={"x-kind": "code"})
]
"""A time zone of the IANA data base."""

Clock = Annotated[str, StringConstraints(pattern=r"^\d{2}:\d{2}$"), Field(json_schema_extra={"x-kind": "time"})]
"""A time of day, HH:MM."""


def _utc(value: datetime) -> str:
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


Time = Annotated[
    AwareDatetime,
    PlainSerializer(_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "x-kind": "time"}),
]
"""An instant with its offset (RFC 3339)."""

Day = date
"""A branch-local business day."""


class EventData(BaseModel):
    """The data of one event type. Writers forbid unknown fields, readers ignore them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_type: ClassVar[str]
    topic: ClassVar[str]

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """Decode as a reader: unknown fields are ignored, so that a newer writer breaks nobody."""
        return cast(Self, cls.__pydantic_validator__.validate_json(payload, extra="ignore"))

    def write(self) -> bytes:
        """The payload as UTF-8 JSON."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=False)


class Contract(BaseModel):
    """A part nested in an event's data."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def catalogue() -> dict[str, type[EventData]]:
    """Every declared event type by its name, over all producers."""
    from shared.contracts import audit, queue, staff, surveys  # noqa: F401 - importing them declares their types

    found: dict[str, type[EventData]] = {}
    todo: list[Any] = list(EventData.__subclasses__())
    while todo:
        kind = todo.pop()
        todo.extend(kind.__subclasses__())
        if "event_type" in vars(kind):
            found[kind.event_type] = kind
    return dict(sorted(found.items()))
