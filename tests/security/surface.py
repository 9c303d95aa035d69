"""Everything that callers can send, read from the OpenAPI document of the running application."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from services.registry import load
from shared.app import build_app
from shared.db.tables import KIT
from shared.security.route_table import route_access
from shared.settings import Settings

APP = build_app(load(), Settings())
DOCUMENT = APP.openapi()
ROLES = {(row.method, row.path): sorted(row.roles) for row in route_access(APP.routes)}
NAMES = {
    "unit": "gz-001", "no": "2", "code": "cash", "person": "T0001", "service": "queue", "version": "1",
    "metric": "visits.opened", "letter": "x", "qualification": "counter", "run": "x", "call": "x", "device": "x",
    "session": "A" * 43,
}  # fmt: skip


class Operation(NamedTuple):
    """One operation of the interface."""

    method: str
    path: str
    about: dict[str, Any]

    @property
    def body(self) -> dict[str, Any] | None:
        """The schema of its JSON body."""
        content = self.about.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def target(self, bank) -> str:
        """The path with something that exists in each parameter."""
        return self.path.format(**NAMES, visit=bank.visit["id"], token=bank.ticket["token"])

    def headers(self, bank) -> dict[str, str]:
        """As a role that may call it, with reach over everything."""
        role = next(iter(ROLES[self.method, self.path]), None)
        return bank.running.headers(role, staff="M0001", units=("*",)) if role else {}


def operations() -> Iterator[Operation]:
    """Each of them."""
    for path, verbs in DOCUMENT["paths"].items():
        for verb, about in verbs.items():
            yield Operation(verb.upper(), path, about)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def parts(schema: dict[str, Any], where: str = "", seen: frozenset[int] = frozenset()) -> Iterator[tuple[str, dict]]:
    """Every schema inside, with where it stands."""
    schema = resolved(schema)
    if id(schema) in seen:
        return
    seen |= {id(schema)}
    yield where, schema
    for choice in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(choice, ()):
            yield from parts(each, where, seen)
    for name, each in schema.get("properties", {}).items():
        yield from parts(each, f"{where}/{name}", seen)
    for each in schema.get("patternProperties", {}).values():
        yield from parts(each, f"{where}/*", seen)
    if isinstance(schema.get("items"), dict):
        yield from parts(schema["items"], f"{where}/0", seen)


async def counts(bank) -> dict[str, dict[str, int]]:
    """Rows of every table of every service: what an attack may not change."""
    found = {}
    for name, runtime in bank.running.app.state.services.items():
        tables = [*runtime.spec.metadata.tables.values(), *KIT.tables.values()]

        async def ask(reads, tables=tables):
            return {t.name: await reads.scalar(sa.select(sa.func.count()).select_from(t)) for t in tables}

        found[name] = await runtime.db.read(ask)
    return found
