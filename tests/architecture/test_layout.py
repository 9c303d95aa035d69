"""Where files lie and how large they are."""

import ast
import subprocess
import sys
import tomllib

import pytest

from shared.testing.source import ROOT, committed, modules

LONGEST = 350
COUNTED = (".py", ".js", ".css", ".html", ".sh")
GENERATED_OR_VENDORED = ("vendor/",)


def test_no_file_is_long() -> None:
    long = {}
    for path in committed():
        if path.endswith(COUNTED) and not any(part in path for part in GENERATED_OR_VENDORED):
            lines = (ROOT / path).read_bytes().count(b"\n")
            if lines > LONGEST:
                long[path] = lines
    assert long == {}


def test_packages_say_what_they_are_and_nothing_else() -> None:
    offences = []
    for module in modules("shared", "services"):
        if module.path.endswith("/__init__.py"):
            body = module.tree.body
            alone = len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            if not alone:
                offences.append(module.path)
    assert offences == [], "an __init__.py holds its docstring, so that importing a rule loads no framework"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {module.path.rpartition("/")[0] for module in modules("shared", "services")}
    bare = {folder for folder in folders if f"{folder}/__init__.py" not in committed()}
    # Alembic finds its revisions by path.
    assert {folder for folder in bare if not folder.endswith("/migrations/versions")} == set()


def test_tests_are_no_packages() -> None:
    assert [path for path in committed() if path.startswith("tests/") and path.endswith("__init__.py")] == []


def test_queue_is_the_standard_librarys() -> None:
    """``services/queue`` would shadow it if ``services/`` came onto the path."""
    command = [sys.executable, "-c", "import queue, sys; print(queue.SimpleQueue, [p for p in sys.path if p])"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "_queue.SimpleQueue" in shown
    assert str(ROOT / "services") not in shown
    assert str(ROOT / "services") not in sys.path


def test_pytest_puts_no_package_on_the_path() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert set(options["pythonpath"]) <= {".", "clients/python"}
    assert "--import-mode=importlib" in options["addopts"]


@pytest.mark.parametrize("folder", ["tests"])
def test_tests_mirror_the_source(folder: str) -> None:
    """``tests/<service>/<feature>/`` names a feature that exists."""
    services = {path.split("/")[1] for path in committed() if path.startswith("services/") and path.count("/") > 2}
    sources = {"/".join(path.split("/")[1:3]) for path in committed() if path.startswith("services/")}
    wrong = {
        "/".join(path.split("/")[:3])
        for path in committed()
        if path.startswith(f"{folder}/") and path.count("/") > 2 and path.split("/")[1] in services
    }
    assert {found for found in wrong if "/".join(found.split("/")[1:3]) not in sources} == set()
