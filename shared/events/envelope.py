"""The envelope: CloudEvents 1.0 in Kafka's binary mode, attributes as ``ce_`` headers, data as JSON.

``partitionkey`` = ``subject`` = the aggregate root's id, the only order promised; ``sequence`` counts that subject's
events. ``time`` is when it happened, ``recordedtime`` when the producer stored it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar, cast

from pydantic import ValidationError

from shared.contracts.base import EventData
from shared.events.outgoing import Origin

D_co = TypeVar("D_co", bound=EventData, covariant=True)

SCHEMA_BASE = "https://wangdian.example/schemas/"


class Unreadable(Exception):
    """The record is not an event we can read; trying again cannot help. ``code`` says why, without its content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Event(NamedTuple, Generic[D_co]):
    """A received event with its data decoded."""

    id: str
    source: str
    type: str
    subject: str
    sequence: int
    time: datetime
    recordedtime: datetime
    origin: Origin
    traceparent: str
    data: D_co


def rfc3339(at: datetime) -> str:
    """UTC with microseconds and ``Z``."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def headers_of(
    *,
    event_id: str,
    service: str,
    data: EventData,
    subject: str,
    sequence: int,
    occurred_at: datetime,
    recorded_at: datetime,
    origin: Origin,
    traceparent: str,
) -> dict[str, str]:
    """The record's headers."""
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": f"/services/{service}",
        "ce_type": data.event_type,
        "ce_subject": subject,
        "ce_time": rfc3339(occurred_at),
        "ce_dataschema": f"{SCHEMA_BASE}{data.event_type}.json",
        "ce_sequence": str(sequence),
        "ce_partitionkey": subject,
        "ce_recordedtime": rfc3339(recorded_at),
        "ce_origin": origin,
        "ce_traceparent": traceparent,
        "content-type": "application/json",
    }


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without an offset")
    return at


def decode(headers: Mapping[str, str], payload: bytes, kind: type[EventData]) -> Event[EventData]:
    """The event of a record whose type is known; :class:`Unreadable` when attributes or data do not fit."""
    try:
        origin = headers["ce_origin"]
        if origin not in ("live", "import"):
            raise Unreadable("bad_origin")
        # By position: by name it would take twice as long, for every event of every consumer.
        return Event(
            headers["ce_id"], headers["ce_source"], headers["ce_type"], headers["ce_subject"],
            int(headers["ce_sequence"]), _instant(headers["ce_time"]), _instant(headers["ce_recordedtime"]),
            cast(Origin, origin), headers.get("ce_traceparent", ""), kind.read(payload),
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        raise Unreadable(f"data:{'.'.join(map(str, first['loc']))}:{first['type']}") from error
    except (KeyError, ValueError) as error:
        raise Unreadable(f"attribute:{type(error).__name__}") from error
