"""Words that have one home: dialects, the domain in the kit, and addresses of machines nowhere."""

import ast
import os
import re
from collections.abc import Iterator

import pytest

from shared.testing.source import ROOT, Module, committed, modules

DIALECTS = re.compile(r"\b(PRAGMA|postgres|postgresql|sqlite)\b", re.IGNORECASE)
DIALECT_PLACES = (
    "shared/db/",
    "services/*/migrations/",
    # Its file is SQLite's by definition; it is the other bus, not a database of a service.
    "shared/bus/embedded.py",
    # Settings check that the address belongs to the mode; fixtures start real servers.
    "shared/settings.py",
    "shared/testing/",
)

DOMAIN = frozenset(
    {"appointment", "complaint", "complainant", "incident", "kiosk", "questionnaire", "survey", "teller", "ticket"}
)
DOMAIN_PLACES = (
    "shared/contracts/",
    "shared/directory/",
    # The roles of tokens are a contract of their own.
    "shared/security/principal.py",
    "shared/security/scopes.py",
)
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# In parts, so that this file passes its own test.
MACHINES = re.compile("|".join([r"(?<![\w.~-])/(root|work)/", r"/tmp/" r"v\b", r"/home/(?!app\b|wangdian\b)\w+/"]))
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("proxy", "golang", "org"),
        ("tuna", "tsinghua", "edu", "cn"),
        ("mirrors", "aliyun", "com"),
    )
)


def dialects(module: Module) -> Iterator[str]:
    """The name of a database or a statement of only one of them, outside of the database kit."""
    if not module.lies_in(*DIALECT_PLACES):
        yield from (f"{line}: {text[:60]!r}" for line, text in module.strings if DIALECTS.search(text))


def domain(module: Module) -> Iterator[str]:
    """A word of the branch's trade in an identifier of the kit: the kit serves every service alike."""
    if not module.path.startswith("shared/") or module.lies_in(*DOMAIN_PLACES):
        return
    for line, name in _identifiers(module):
        words = {part.lower().removesuffix("s") for part in PARTS.findall(name)}
        if words & DOMAIN:
            yield f"{line}: {name}"


def _identifiers(module: Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def addresses(text: str) -> Iterator[str]:
    """A path of somebody's machine or the host of a package index."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINES.search(line) or any(host in line for host in HOSTS):
            yield f"{number}: {line.strip()[:80]}"


@pytest.mark.parametrize("rule", [dialects, domain])
def test_words_stay_at_home(rule) -> None:
    offences = [f"{module.path}:{offence}" for module in modules("shared", "services") for offence in rule(module)]
    assert not offences, "\n".join([str(rule.__doc__), *offences])


def test_no_committed_file_names_a_machine_or_an_index() -> None:
    offences = []
    for path in committed():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content[:4096]:
            offences += [f"{path}:{offence}" for offence in addresses(content.decode("utf-8", "replace"))]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (dialects, "services/queue/tickets/queries.py", "x = 'PRA' 'GMA journal_mode'"),
        (dialects, "shared/app.py", "if name == 'sqlite': pass"),
        (dialects, "shared/web/limits.py", "f'postgresql+asyncpg://{host}'"),
        (domain, "shared/web/routing.py", "class TicketRouter: pass"),
        (domain, "shared/web/routing.py", "def f(open_surveys): pass"),
    ],
)
def test_the_rules_see_offences(rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text)))


@pytest.mark.parametrize(
    "line", [f"{os.sep}root/x", f"see {os.sep}work/x", f"--index https://{HOSTS[0]}/simple", f"{os.sep}home/me/x"]
)
def test_addresses_are_seen(line: str) -> None:
    assert list(addresses(line))


def test_the_rules_let_the_rest_pass() -> None:
    documented = Module("shared/app.py", '"""Runs on SQLite or PostgreSQL."""\nx = "bus.sqlite3"\nticketing = 1')
    assert [*dialects(documented), *domain(documented)] == []
    assert list(addresses("docs/work/x ../work/x")) == []
