"""Which file may import what, beyond what import-linter's graph can say."""

import re
from collections.abc import Iterator

import pytest

from shared.testing.source import Module, modules

CONFINED = {
    "aiokafka": ("shared/bus/kafka/", "shared/testing/"),
    "sqlalchemy.dialects": ("shared/db/", "shared/db/migrations/", "services/*/migrations/"),
    "prometheus_client": ("shared/observability/", "services/*/collector/"),
    "os.environ": ("shared/settings.py",),
    "os.getenv": ("shared/settings.py",),
    "random": (),
    "secrets": ("shared/ids.py", "shared/security/"),
    "asyncpg": ("shared/db/", "shared/testing/"),
    "starlette.middleware.base": (),
}
"""Package or name -> the only places of product code that import it."""

COMPOSERS = ("services/registry.py", "services/__main__.py", "services/commands/")
"""The composition root, and the command line that stands on it: the only ones that know several services."""

FRAMEWORKS = ("fastapi", "starlette", "uvicorn")
STORES = ("sqlalchemy", "sqlmodel")
ROOMS = {
    "api": {"service", "queries", "schemas", "errors", "auth", "rules", "values"},
    "schemas": {"schemas", "rules", "values"},
    "rules": {"rules", "values"},
    "service": {"service", "rules", "schemas", "models", "queries", "errors", "values"},
    "models": {"models", "rules", "values"},
    "queries": {"models", "queries", "rules", "values"},
    "errors": {"errors", "rules", "values"},
    "handlers": {"service", "rules", "values"},
    "pages": {"service", "queries", "schemas", "errors", "auth", "rules", "values"},
}
"""Room of a feature -> the rooms of its service that it may import (design: the house).

Rules are pure and load nothing, and hold the states that others name: every room may read them.
"""
OUTSIDE = {
    "schemas": (*FRAMEWORKS, *STORES, "httpx"),
    "rules": (*FRAMEWORKS, *STORES, "httpx", "asyncio", "os", "pathlib", "shared.db", "shared.web", "shared.events"),
    "service": (*FRAMEWORKS, "httpx"),
    "models": (*FRAMEWORKS, "httpx"),
    "queries": (*FRAMEWORKS, "httpx"),
    "errors": (*FRAMEWORKS, *STORES, "httpx"),
    "handlers": (*FRAMEWORKS, "httpx"),
}
"""Room -> packages of others that it never imports."""
VALUES = ("shared.events.envelope",)
"""What is plain data in these packages: the envelope, which the facts are folded from."""


def confined(module: Module) -> Iterator[str]:
    """A package used outside of its places."""
    for package, places in CONFINED.items():
        if not module.lies_in(*places):
            yield from (f"{item.line}: {item.name}" for item in module.imports if item.within(package))


def composing(module: Module) -> Iterator[str]:
    """Several services known, or the composition root imported, outside of it."""
    if module.lies_in(*COMPOSERS):
        return
    own = module.path.split("/")[1] if module.path.startswith("services/") else ""
    for item in module.imports:
        if not item.within("services"):
            continue
        other = item.name.split(".")[1:2]
        if other != [own]:
            yield f"{item.line}: {item.name}"


def rooms(module: Module) -> Iterator[str]:
    """A room that imports a room it may not know, or a package foreign to it."""
    match = re.fullmatch(r"services/(\w+)/\w+/(\w+)\.py", module.path)
    if match is None or match[2] not in ROOMS:
        return
    service, room = match.groups()
    for item in module.imports:
        if item.typing:
            continue
        if item.within(*OUTSIDE.get(room, ())) and not item.within(*VALUES):
            yield f"{item.line}: {item.name}"
        # services.<service>.<feature>.<room>…; auth lies beside the features.
        parts = item.name.split(".")
        if parts[:2] != ["services", service] or len(parts) < 4:
            continue
        known = parts[3] if parts[3] in ROOMS else parts[2] if parts[2] == "auth" else None
        if known is not None and known not in ROOMS[room]:
            yield f"{item.line}: {item.name}"


RULES = [confined, composing, rooms]


@pytest.mark.parametrize("rule", RULES)
def test_every_module_keeps_to_its_imports(rule) -> None:
    offences = [f"{module.path}:{offence}" for module in modules("shared", "services") for offence in rule(module)]
    assert not offences, "\n".join([str(rule.__doc__), *offences])


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (confined, "shared/bus/embedded.py", "import aiokafka"),
        (confined, "services/queue/tickets/models.py", "from sqlalchemy.dialects import x"),
        (confined, "services/queue/tickets/service.py", "def f():\n    import prometheus_client.core"),
        (confined, "shared/app.py", "from os import environ"),
        (confined, "shared/web/limits.py", "from starlette.middleware.base import BaseHTTPMiddleware"),
        (composing, "services/queue/spec.py", "import services.staff.people.queries"),
        (composing, "services/queue/spec.py", "from services.registry import SPECS"),
        (composing, "shared/app.py", "from services import registry"),
        (rooms, "services/queue/tickets/rules.py", "import sqlalchemy as sa"),
        (rooms, "services/queue/tickets/rules.py", "from services.queue.tickets.models import Visit"),
        (rooms, "services/queue/tickets/rules.py", "from services.queue.tickets import queries"),
        (rooms, "services/queue/tickets/service.py", "from fastapi import Depends"),
        (rooms, "services/queue/tickets/api.py", "from services.queue.tickets.models import Visit"),
        (rooms, "services/queue/tickets/handlers.py", "from services.queue.tickets.api import router"),
        (rooms, "services/queue/tickets/service.py", "from services.queue.auth import IssueTickets"),
    ],
)
def test_the_rules_see_offences(rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shared/bus/kafka/bus.py", "import aiokafka"),
        ("services/aggregator/collector/service.py", "import prometheus_client"),
        ("services/queue/migrations/versions/q1.py", "from sqlalchemy.dialects import x"),
        ("services/__main__.py", "from services.registry import load"),
        ("services/queue/tickets/service.py", "from services.queue.windows import queries, service"),
        ("services/queue/tickets/models.py", "from services.queue.base import Base"),
        ("services/queue/tickets/api.py", "from services.queue.auth import IssueTickets"),
    ],
)
def test_the_rules_let_the_rest_pass(path: str, text: str) -> None:
    assert [offence for rule in RULES for offence in rule(Module(path, text))] == []
