"""The events as a page shows them, from the AsyncAPI document."""

from dataclasses import dataclass
from typing import Any

from shared.contracts.asyncapi import asyncapi, kind_of

OWNERS = ("staff", "queue", "surveys", "aggregator")
"""The services behind the gateway, each with an OpenAPI document of its own."""


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A member of an event's data."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event type."""

    name: str
    summary: str
    fields: tuple[FieldShown, ...]


@dataclass(frozen=True, slots=True)
class TopicShown:
    """A topic with its event types; the texts are those of the contracts."""

    name: str
    about: str
    events: tuple[EventShown, ...]


def topics() -> list[TopicShown]:
    """Every topic of the document, in its order."""
    document = asyncapi()
    return [
        TopicShown(
            channel["address"], channel["description"], tuple(_event(document, name) for name in channel["messages"])
        )
        for channel in document["channels"].values()
    ]


def envelope() -> list[FieldShown]:
    """The headers that every event has."""
    headers = asyncapi()["components"]["schemas"]["CloudEventHeaders"]
    return [
        FieldShown(
            name,
            str(spec.get("description") or spec.get("const") or spec.get("type") or "–"),
            name in headers["required"],
        )
        for name, spec in headers["properties"].items()
    ]


def _event(document: dict[str, Any], name: str) -> EventShown:
    schema = document["components"]["schemas"][name]
    required = schema.get("required", ())
    fields = tuple(FieldShown(each, kind_of(spec), each in required) for each, spec in schema["properties"].items())
    return EventShown(name, document["components"]["messages"][name]["summary"], fields)
