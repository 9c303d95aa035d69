"""The AsyncAPI 3 document and the JSON Schemas of the events, made from the contracts."""

from typing import Any

from shared.contracts.base import EventData, catalogue
from shared.topics import TOPICS

SCHEMAS = "https://wangdian.example/schemas/"

HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes in Kafka's binary mode",
    "required": [
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataschema", "ce_sequence",
        "ce_partitionkey", "ce_recordedtime", "ce_origin", "content-type",
    ],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "UUIDv7; equal ids are one event"},
        "ce_source": {"type": "string", "description": "/services/<producer>"},
        "ce_type": {"type": "string"},
        "ce_subject": {"type": "string", "description": "The aggregate root; the record's key"},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened"},
        "ce_dataschema": {"type": "string", "format": "uri"},
        "ce_sequence": {"type": "string", "description": "Counts the subject's events from 1"},
        "ce_partitionkey": {"type": "string"},
        "ce_recordedtime": {"type": "string", "format": "date-time", "description": "When the producer stored it"},
        "ce_origin": {"enum": ["live", "import"]},
        "ce_traceparent": {"type": "string"},
        "content-type": {"const": "application/json"},
    },
}  # fmt: skip


def event_schema(kind: type[EventData]) -> dict[str, Any]:
    """The JSON Schema of an event's data as readers should see it: unknown fields are allowed."""
    schema = kind.model_json_schema(mode="serialization")
    for part in [schema, *schema.get("$defs", {}).values()]:
        part.pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMAS}{kind.event_type}.json",
    } | schema


def _inlined(kind: type[EventData]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of an event's data and those of its parts, referring to each other among the document's components."""
    schema = kind.model_json_schema(
        mode="serialization", ref_template=f"#/components/schemas/{kind.event_type}.{{model}}"
    )
    parts = schema.pop("$defs", {})
    schema.pop("additionalProperties", None)
    return schema, parts


def asyncapi() -> dict[str, Any]:
    """Channels are topics, messages are event types; each service sends what it owns and receives what it handles."""
    kinds = catalogue()
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        names = [name for name, kind in kinds.items() if kind.topic == topic.name]
        key = topic.name.replace(".", "_")
        keep = "compacted" if topic.compacted else f"kept {topic.keep_days} days" if topic.keep_days else "kept"
        channels[key] = {
            "address": topic.name,
            "description": f"{topic.partitions} partitions in production, {keep}",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        }
        operations[f"send_{key}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "messages": [{"$ref": f"#/channels/{key}/messages/{name}"} for name in names],
        }
    schemas: dict[str, Any] = {}
    for name, kind in kinds.items():
        schemas[name], parts = _inlined(kind)
        for part, body in parts.items():
            body.pop("additionalProperties", None)
            schemas[f"{name}.{part}"] = body
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wangdian events",
            "version": "1",
            "description": "At least once, in order per subject; readers guard by (subject, sequence) or by the id.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "summary": (kind.__doc__ or "").strip().splitlines()[0],
                    "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                }
                for name, kind in kinds.items()
            },
            "schemas": {"CloudEventHeaders": HEADERS} | schemas,
        },
    }


def kind_of(spec: dict[str, Any]) -> str:
    """What a member is, in a word."""
    for option in [spec, *spec.get("anyOf", [])]:
        if "$ref" in option:
            return str(option["$ref"].rsplit("/", 1)[-1])
        if "x-kind" in option:
            return str(option["x-kind"])
        if option.get("format"):
            return str(option["format"])
        if option.get("type") not in (None, "null"):
            return str(option["type"])
    return "value"


def render_events() -> str:
    """The page of all events for people."""
    lines = [
        "# Events",
        "",
        "Generated from `shared/contracts`; do not edit. The envelope is CloudEvents 1.0, see `asyncapi.json`.",
        "",
    ]
    for topic in TOPICS:
        lines += [f"## {topic.name}", ""]
        for name, kind in catalogue().items():
            if kind.topic != topic.name:
                continue
            lines += [
                f"### {name}",
                "",
                " ".join((kind.__doc__ or "").split()),
                "",
                "| field | kind | required |",
                "|---|---|---|",
            ]
            schema = kind.model_json_schema(mode="serialization")
            wanted = set(kind.model_json_schema(mode="validation").get("required", ()))
            for field, spec in schema["properties"].items():
                lines.append(f"| {field} | {kind_of(spec)} | {'yes' if field in wanted else ''} |")
            lines.append("")
    return "\n".join(lines)
