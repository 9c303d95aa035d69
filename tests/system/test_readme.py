"""The README's tour, run as printed against a running system.

The blocks are given to one bash, one after another, in a folder where ``.venv/bin`` holds this interpreter's ``python``
and ``wangdian``, so that no line of them is changed. What a block prints must look as the block after it shows: white
space does not count, and ``…`` stands for anything.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.settings import Settings
from shared.testing.process import RunningSystem
from shared.testing.source import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 30.0
END = "<<end of block>>"


class Step(NamedTuple):
    """Lines of bash, and what they are said to print (None: nothing is said)."""

    code: str
    shown: str | None

    @property
    def only_reads(self) -> bool:
        """Whether it may be run again until the figures have followed."""
        return not re.search(r"-X POST| -d |=\$\(|import visits", self.code)


def section(title: str) -> str:
    """The text under a heading of the second level."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def steps() -> list[Step]:
    """The bash blocks of the tour with the block that follows each at once."""
    found: list[Step] = []
    blocks = list(re.finditer(r"^```(\w+)\n(.*?)^```\n", section("Tour"), re.MULTILINE | re.DOTALL))
    for i, block in enumerate(blocks):
        if block[1] == "bash":
            after = blocks[i + 1] if i + 1 < len(blocks) else None
            shown = after is not None and after[1] != "bash" and after.start() == block.end()
            found.append(Step(block[2], after[2] if after is not None and shown else None))
    return found


def looks_like(said: str, shown: str) -> bool:
    """Whether ``said`` is what is ``shown``."""
    parts = ["".join(part.split()) for part in shown.split("…")]
    return re.fullmatch(".*?".join(map(re.escape, parts)), "".join(said.split())) is not None


class Shell:
    """One bash that keeps its variables from block to block."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._errors = folder / "stderr"
        with self._errors.open("wb") as errors:
            self._bash = subprocess.Popen(
                ["bash", "-u"], cwd=folder, env=env, text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip

    def run(self, code: str) -> str:
        """What the lines print."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._bash.stdin.write(f"{code}\necho; echo '{END}'\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.strip() == END:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"bash ended: {self.errors()}")

    def errors(self) -> str:
        """What went to the standard error."""
        return self._errors.read_text(encoding="utf-8")

    def close(self) -> None:
        """End it."""
        self._bash.communicate(timeout=10)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a checkout after ``make run``, with this interpreter in its ``.venv``."""
    folder = tmp_path_factory.mktemp("checkout")
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name, arguments in (("python", ""), ("wangdian", "-m services")):
        command = commands / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        command.chmod(0o755)
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.fixture(scope="module")
def shell(checkout: Path) -> Iterator[Shell]:
    """A shell beside a running system."""
    with RunningSystem(checkout) as system:
        system.start()
        system.wait_ready()
        system.wait_for_bank()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WANGDIAN_")}
        shell = Shell(checkout, kept | system.environment)
        yield shell
        shell.close()


@pytest.mark.skipif(os.name != "posix", reason="the tour is bash")
def test_the_tour_runs_as_printed(shell: Shell) -> None:
    tour = steps()
    assert len(tour) >= 12
    for step in tour:
        said = shell.run(step.code)
        if step.shown is None:
            continue
        until = time.monotonic() + PATIENCE
        while not looks_like(said, step.shown) and step.only_reads and time.monotonic() < until:
            time.sleep(0.25)
            said = shell.run(step.code)
        assert looks_like(said, step.shown), f"{step.code}\nsaid:\n{said}\n{shell.errors()[-2000:]}"


def test_what_is_shown_is_compared() -> None:
    assert looks_like('{"a":1,"b":"x"}', '{"a": 1,\n "b": "…"}')
    assert not looks_like('{"a":2,"b":"x"}', '{"a": 1, "b": "…"}')
    assert not looks_like('{"a":1,"b":"x"} more', '{"a": 1, "b": "x"}')


def test_every_setting_is_in_the_table() -> None:
    expected = {
        str(field.validation_alias or f"WANGDIAN_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    listed = re.findall(r"^\| `(\w+)` \|", section("Configuration"), re.MULTILINE)
    assert sorted(listed) == sorted(expected)


def test_the_tables_defaults_are_the_settings() -> None:
    wrong = {}
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section("Configuration"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        shown = rows.get(str(field.validation_alias or f"WANGDIAN_{name.upper()}"))
        default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        if shown is not None and shown != default:
            wrong[name] = (shown, default)
    assert wrong == {}


@pytest.mark.parametrize("page", ["README.md", "docs/README.md", "services/queue/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    missing = [target for target in targets if target and not ((ROOT / page).parent / target).exists()]
    assert missing == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets
