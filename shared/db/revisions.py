"""What this build's migration files say about themselves: revision, and the one below it.

Read as text and once a process, so that a start (and each question whether we are ready) that has nothing to migrate
loads no migration tool.
"""

import ast
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

KIT_PACKAGE = "shared.db.migrations"


def folder(package: str) -> Path:
    """Where the migrations of ``package`` lie."""
    return Path(str(import_module(package).__file__)).parent


@cache
def _parents(package: str) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for place in (folder(KIT_PACKAGE), folder(package)):
        for file in sorted((place / "versions").glob("*.py")):
            said = {
                node.targets[0].id: node.value.value
                for node in ast.parse(file.read_text(encoding="utf-8")).body
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
            }
            below = said["down_revision"]
            found[str(said["revision"])] = None if below is None else str(below)
    return found


def heads(package: str) -> frozenset[str]:
    """The revisions that this build needs: the newest of both branches."""
    parents = _parents(package)
    return frozenset(parents) - frozenset(parents.values())


def satisfied(package: str, current: frozenset[str]) -> bool:
    """Whether a database at the revisions ``current`` has everything that this build needs."""
    parents = _parents(package)
    # A revision that this build does not know is a newer build's: what this build needs lies below it.
    if current - frozenset(parents):
        return True
    reached: set[str] = set()
    for head in current:
        above: str | None = head
        while above is not None:
            reached.add(above)
            above = parents[above]
    return heads(package) <= reached
