"""The generated documents are the committed ones, and say what they must."""

import json
import subprocess
from collections import defaultdict
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from services.commands.generate import documents
from services.registry import SERVICES
from shared.testing.source import ROOT, committed
from tests.contracts.compatibility import breaks, undeclared_strings

FOLDERS = ("docs/openapi/", "docs/schemas/")
Document = dict[str, Any]


@cache
def generated() -> dict[str, str]:
    """Every document as it is made now, by its path."""
    return documents()


def openapi(name: str) -> Document:
    """The OpenAPI document of a service, or of all (``wangdian``)."""
    return json.loads(generated()[f"docs/openapi/{name}.json"])


def schemas() -> dict[str, Document]:
    """The JSON Schemas of the events by path."""
    return {path: json.loads(text) for path, text in generated().items() if path.startswith("docs/schemas/")}


def test_the_committed_documents_are_what_is_generated_now() -> None:
    """Otherwise ``make generate`` was forgotten."""
    drifted = [
        path
        for path, text in generated().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    extra = [path for path in committed() if path.startswith(FOLDERS) and path not in generated()]
    assert (drifted, extra) == ([], []), "run `make generate` and commit what it writes"


def operations(document: Document) -> list[tuple[str, Document]]:
    """(method and path, operation) of every operation."""
    return [(f"{verb} {path}", found) for path, verbs in document["paths"].items() for verb, found in verbs.items()]


def test_operation_ids_are_unique_and_say_whose_they_are() -> None:
    ids = defaultdict(list)
    for name, operation in operations(openapi("wangdian")):
        ids[operation["operationId"]].append(name)
    assert {key: names for key, names in ids.items() if len(names) > 1} == {}
    for service in SERVICES:
        paths = [op["operationId"] for name, op in operations(openapi(service)) if f"/{service}/v1" in name]
        assert paths and all(key.startswith(f"{service}_") for key in paths)


def test_schema_names_are_unique_over_the_services() -> None:
    """One name, one schema; two classes of one name would get their modules' paths into the name."""
    bodies = defaultdict(set)
    for name in (*SERVICES, "wangdian"):
        for schema, body in openapi(name)["components"]["schemas"].items():
            bodies[schema].add(json.dumps(body, sort_keys=True))
    assert [name for name, different in bodies.items() if len(different) > 1 or "__" in name] == []


def test_every_operation_shows_an_example() -> None:
    """Every body does, and every operation that takes or gives more than nothing."""
    document = openapi("wangdian")
    bare = []
    for name, operation in operations(document):
        body, ok = operation.get("requestBody", {}), [r for s, r in operation["responses"].items() if s[0] == "2"]
        if body and not shows(body, document):
            bare.append(f"{name}: the body")
        if any("content" in reply for reply in ok) and "/v1/" in name:
            told = [operation.get("parameters", []), body, ok]
            if not shows(told, document):
                bare.append(name)
    assert bare == []


def shows(part: Any, document: Document, seen: frozenset[str] = frozenset()) -> bool:
    """Whether ``part`` or anything it refers to has an example, or is a choice that is its own example."""
    if isinstance(part, list):
        return any(shows(each, document, seen) for each in part)
    if not isinstance(part, dict):
        return False
    if part.keys() & {"example", "examples", "enum", "const"}:
        return True
    reference = part.get("$ref")
    if reference is not None and reference not in seen:
        target = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
        return shows(target, document, seen | {reference})
    return any(shows(each, document, seen) for each in part.values())


def test_the_asyncapi_document_is_valid() -> None:
    """By the specification's own schema, and every reference of it leads somewhere."""
    schema = json.loads((ROOT / "tests/contracts/asyncapi-3.0.0.schema.json").read_text(encoding="utf-8"))
    document = json.loads(generated()["docs/asyncapi.json"])
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []
    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]
    messages = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert messages == document["components"]["messages"].keys()


def test_the_asyncapi_document_keeps_the_rules_that_its_schema_cannot_say() -> None:
    """Those of AsyncAPI's own parser: it runs by ``make asyncapi``, as it needs node."""
    document = json.loads(generated()["docs/asyncapi.json"])
    for name, operation in document["operations"].items():
        channel = operation["channel"]["$ref"]
        assert channel.startswith("#/channels/"), name
        assert operation["action"] in {"send", "receive"}
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation.get("messages", ()))
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert len(set(addresses)) == len(addresses)
    for name, message in document["components"]["messages"].items():
        payload = resolved(message["payload"], document)
        Draft202012Validator.check_schema(payload.get("schema", payload))
        for example in message.get("examples", ()):
            assert not list(Draft202012Validator(payload.get("schema", payload)).iter_errors(example["payload"])), name


def resolved(part: Document, document: Document) -> Document:
    """What a local ``$ref`` leads to."""
    target: Any = part
    if "$ref" in part:
        target = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
    return target


def references(part: Any) -> list[str]:
    """Every ``$ref`` inside."""
    if isinstance(part, list):
        return [each for item in part for each in references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [each for item in part.values() for each in references(item)]


def test_the_schemas_of_events_are_valid() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


def test_no_free_text_leaves_a_service() -> None:
    """Every string of an event is declared a reference, a code or a time, or is one of a list, or a date."""
    assert {path: found for path, schema in schemas().items() if (found := list(undeclared_strings(schema)))} == {}


def test_undeclared_strings_are_seen() -> None:
    assert list(undeclared_strings({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}))
    assert not list(undeclared_strings({"properties": {"a": {"type": "string", "x-kind": "ref"}}}))


@cache
def at_head(path: str) -> str | None:
    """The file as the last commit has it; None if it has none."""
    shown = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, check=False)
    return shown.stdout.decode() if shown.returncode == 0 else None


def test_schemas_stay_compatible_with_the_committed_ones() -> None:
    """A change that breaks readers is a new type, published beside the old one."""
    broken = {}
    for path, new in schemas().items():
        old = at_head(path)
        found = list(breaks(json.loads(old), new)) if old is not None else []
        if found:
            broken[path] = found
    assert broken == {}


OLD = {
    "properties": {"a": {"type": "string", "description": "x"}, "b": {"type": "integer"}},
    "required": ["a"],
    "$defs": {"S": {"enum": ["x", "y"]}},
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"properties": OLD["properties"] | {"c": {"type": "string"}, "a": {"type": "string"}}}, []),
        ({"required": []}, []),
        ({"properties": {"a": {"type": "string"}}}, ["/b is gone"]),
        ({"required": ["a", "b"]}, ["/b is newly required"]),
        ({"properties": OLD["properties"] | {"b": {"type": "string"}}}, ["/b is of another kind"]),
        ({"$defs": {"S": {"enum": ["x"]}}}, ["#S: other values"]),
        ({"$defs": {}}, ["#S is gone"]),
    ],
)
def test_what_breaks_readers(change: Document, found: list[str]) -> None:
    assert list(breaks(OLD, OLD | change)) == found
