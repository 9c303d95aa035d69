"""The source of the house as syntax trees, each file read and parsed once, for tests about the code itself."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = ("__pycache__", "build", "data", "node_modules")
"""Folders that hold no source."""


@dataclass(frozen=True)
class Import:
    """One name imported: ``from a.b import c`` is ``a.b.c``; ``typing`` when it happens for type checkers only."""

    name: str
    line: int
    typing: bool = False

    def within(self, *packages: str) -> bool:
        """Whether the name is one of ``packages`` or lies in one."""
        return any(self.name == package or self.name.startswith(f"{package}.") for package in packages)


@dataclass(frozen=True)
class Module:
    """One Python file; ``path`` is relative to the root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, also those inside functions."""
        guarded = {id(node) for block in self.nodes if _is_type_checking(block) for node in ast.walk(block)}
        found: list[Import] = []
        for node in self.nodes:
            typing = id(node) in guarded
            if isinstance(node, ast.Import):
                found += [Import(alias.name, node.lineno, typing) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found += [Import(f"{base}.{alias.name}".strip("."), node.lineno, typing) for alias in node.names]
        return tuple(found)

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """Ids of the constants that are documentation: strings standing alone as statements."""
        return frozenset(
            id(node.value) for node in self.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )

    @cached_property
    def strings(self) -> tuple[tuple[int, str], ...]:
        """Line and value of every string that is no documentation, parts of f-strings too."""
        return tuple(
            (node.lineno, node.value)
            for node in self.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in self.docstrings
        )

    def documentation(self) -> Iterator[tuple[int, str]]:
        """Line and text of every docstring, those of attributes too."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and id(node) in self.docstrings and isinstance(node.value, str):
                yield node.lineno, node.value

    def lies_in(self, *places: str) -> bool:
        """Whether the file is one of ``places``: files, or folders with a closing slash; ``*`` stands for one name."""
        return any(_matches(self.path, place) for place in places)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.split("/")[: -node.level]
        return ".".join([*package, node.module] if node.module else package)


def _matches(path: str, place: str) -> bool:
    parts, wanted = path.split("/"), place.rstrip("/").split("/")
    fits = len(parts) >= len(wanted) and all(w in ("*", p) for p, w in zip(parts, wanted, strict=False))
    return fits and (place.endswith("/") or len(parts) == len(wanted))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of names, '' of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


@cache
def committed() -> tuple[str, ...]:
    """Paths of every file that is or would be committed, relative to the root; without git, of every file of source."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")  # nosec B603
    except (OSError, subprocess.CalledProcessError):
        listed = list(_walk(ROOT))
    return tuple(sorted(path for path in set(listed) if path and (ROOT / path).is_file()))


def _walk(folder: Path) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_file():
            yield entry.relative_to(ROOT).as_posix()
        elif not entry.name.startswith(".") and entry.name not in PRODUCTS and not entry.name.endswith(".egg-info"):
            yield from _walk(entry)


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The committed Python files of the given top folders, all of them by default."""
    paths = [path for path in committed() if path.endswith(".py")]
    if folders:
        paths = [path for path in paths if path.startswith(tuple(f"{folder}/" for folder in folders))]
    return tuple(_module(path) for path in paths)


@cache
def _module(path: str) -> Module:
    return Module(path, (ROOT / path).read_text(encoding="utf-8"))
