"""Promises in the text and what proves them: invariants, marks of the guide, lock files."""

import ast
import re
import tomllib
from functools import cache

import pytest

from shared.testing import guide
from shared.testing.source import ROOT, Module, modules

NAMED = re.compile(r"\btests/[\w/]+\.py(?:::\w+)+|\btest_\w+\b(?!\.py)")


def invariants(module: Module) -> list[str]:
    """Docstrings that begin with ``INVARIANT:`` and name no test, or one that does not exist."""
    offences = []
    for line, text in module.documentation():
        if not text.lstrip().startswith("INVARIANT:"):
            continue
        # A long name may be broken after a slash or a pair of colons.
        named = NAMED.findall(re.sub(r"(?<=[/:])\s*\n\s*", "", text))
        missing = [test for test in named if not exists(test)]
        if not named or missing:
            offences.append(f"{module.path}:{line}: {missing or 'names no test'}")
    return offences


@cache
def all_tests() -> frozenset[str]:
    """Names of every test function of the suite."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for module in modules("tests") for node in module.nodes if isinstance(node, functions))


def exists(test: str) -> bool:
    """Whether ``tests/…py::Class::test`` is defined, or a bare ``test_…`` anywhere in the suite."""
    path, *names = test.split("::")
    if not names:
        return test in all_tests()
    if not (ROOT / path).is_file():
        return False
    scope = Module(path, (ROOT / path).read_text(encoding="utf-8")).tree.body
    for name in names:
        found = next((node for node in scope if getattr(node, "name", None) == name), None)
        if found is None:
            return False
        scope = getattr(found, "body", [])
    return True


def test_every_invariant_names_the_test_that_proves_it() -> None:
    offences = [offence for module in modules("shared", "services") for offence in invariants(module)]
    assert not offences, "\n".join(offences)


def test_the_census_sees_offences() -> None:
    here = "tests/architecture/test_census.py"
    proven = f"INVARIANT: x; {here}::test_the_census_sees_offences"
    broken = "INVARIANT: x; tests/architecture/\n    test_census.py::test_the_census_sees_offences"
    assert invariants(Module("a.py", f'def f():\n    """{proven}"""')) == []
    assert invariants(Module("a.py", f'x = 1\n"""{broken}"""')) == []
    assert invariants(Module("a.py", '"""INVARIANT: x (proven by test_the_census_sees_offences)."""')) == []
    assert invariants(Module("a.py", '"""INVARIANT: x (proven by test_of_nothing)."""'))
    assert invariants(Module("a.py", f'def f():\n    """{proven}_not"""'))
    assert invariants(Module("a.py", '"""INVARIANT: always."""'))


def test_marks_name_rows_of_the_guide() -> None:
    found = guide.coverage()
    assert found.unknown == []
    assert len(found.rows) == len({row.id for row in found.rows}) == 125


def test_the_document_of_the_guide_is_current() -> None:
    committed = (ROOT / guide.DOCUMENT).read_text(encoding="utf-8")
    assert committed == guide.render(), "run `make generate`"


def test_marks_are_found_on_tests_classes_and_modules() -> None:
    text = """
pytestmark = [pytest.mark.data, pytest.mark.guide("1.1a")]
@pytest.mark.guide("1.1b", "1.1a")
async def test_one(): ...
@pytest.mark.guide("1.1c")
class TestMore:
    def test_two(self): ...
def helper(): ...
"""
    assert sorted(guide.marks(Module("tests/x.py", text))) == [
        ("1.1a", "tests/x.py::TestMore::test_two"),
        ("1.1a", "tests/x.py::test_one"),
        ("1.1b", "tests/x.py::test_one"),
        ("1.1c", "tests/x.py::TestMore::test_two"),
    ]


def locked(name: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", text, re.MULTILINE))


def test_the_development_lock_has_the_applications_versions() -> None:
    app, dev = locked("app.lock"), locked("dev.lock")
    assert app
    assert app.items() <= dev.items()


@pytest.mark.parametrize("name", ["app.lock", "dev.lock"])
def test_locks_hold_names_versions_and_hashes_only(name: str) -> None:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    entry = re.compile(r"[a-z0-9.-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?|\s*#[^:]*:?|")
    assert [line for line in lines if not entry.fullmatch(line)] == []


def test_the_locks_hold_everything_that_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        "app.lock": project["dependencies"],
        "dev.lock": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
    }
    for name, requirements in declared.items():
        names = {re.match(r"[\w.-]+", item)[0].lower().replace("_", "-") for item in requirements}  # type: ignore[index]
        assert names - locked(name).keys() == set()
