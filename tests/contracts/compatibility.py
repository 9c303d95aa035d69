"""When may a schema change without breaking who reads it?"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def breaks(old: Schema, new: Schema) -> Iterator[str]:
    """What in ``new`` breaks readers of ``old`` events or readers that know ``old`` only.

    A field is never removed, never changes its kind and never becomes required; a listed value is neither removed nor
    added, as a reader of either version would meet a word it does not know.
    """
    for path, before in _parts(old).items():
        after = _parts(new).get(path)
        if after is None:
            yield f"{path or 'it'} is gone"
            continue
        if set(before.get("enum", ())) != set(after.get("enum", ())):
            yield f"{path}: other values"
        gone = before.get("properties", {}).keys() - after.get("properties", {}).keys()
        yield from (f"{path}/{name} is gone" for name in sorted(gone))
        for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
            yield f"{path}/{name} is newly required"
        for name, field in before.get("properties", {}).items():
            known = after.get("properties", {}).get(name)
            if known is not None and _kind(field) != _kind(known):
                yield f"{path}/{name} is of another kind"


def _parts(schema: Schema) -> dict[str, Schema]:
    return {"": schema} | {f"#{name}": part for name, part in schema.get("$defs", {}).items()}


def _kind(field: Any) -> Any:
    """The field without what only explains it."""
    if isinstance(field, Mapping):
        explained = ("title", "description", "default", "examples")
        return {name: _kind(part) for name, part in field.items() if name not in explained}
    if isinstance(field, list):
        return [_kind(part) for part in field]
    return field


def undeclared_strings(schema: Any, path: str = "") -> Iterator[str]:
    """Paths of strings that are declared neither a reference, a code or a time, nor a list of values or a date."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "string" and not (
            schema.get("x-kind") in ("ref", "code", "time")
            or "enum" in schema
            or "const" in schema
            or schema.get("format") == "date"
        ):
            yield path
        for name, part in schema.items():
            yield from undeclared_strings(part, f"{path}/{name}")
    elif isinstance(schema, list):
        for i, part in enumerate(schema):
            yield from undeclared_strings(part, f"{path}/{i}")
