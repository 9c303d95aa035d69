"""The committed Prometheus rules at another pace: every duration divided by one number, nothing else touched."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.testing.stack.servers import PROMETHEUS

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(
    r"(?P<before>^\s*(?:for|interval|keep_firing_for): |\[|\boffset )(?P<number>\d+)(?P<unit>[smhd])(?P<after>$|\]|\b)",
    re.MULTILINE,
)
"""Where a rule says how long: `for`, `interval`, the window of a selector. A name like `…:rate5m` says nothing."""


def durations(rules: str) -> list[int]:
    """All durations of a rule file in their order, in seconds."""
    return [int(found["number"]) * _UNITS[found["unit"]] for found in _DURATION.finditer(rules)]


def without_durations(rules: str) -> str:
    """The rule file with a mark for each duration."""
    return _replaced(rules, lambda seconds: "…")


def faster(rules: str, times: int) -> str:
    """The rule file with every duration divided by ``times``; ValueError where that is no whole number of seconds."""

    def scaled(seconds: int) -> str:
        if seconds % times:
            raise ValueError(f"{seconds} s cannot be divided by {times}")
        return f"{seconds // times}s"

    return _replaced(rules, scaled)


def write_faster(folder: Path, times: int) -> None:
    """All rule files of ``deploy/``, ``times`` as fast, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (PROMETHEUS / "rules").glob("*.yml"):
        (folder / path.name).write_text(faster(path.read_text(encoding="utf-8"), times), encoding="utf-8")


def _replaced(rules: str, by: Callable[[int], str]) -> str:
    def one(found: "re.Match[str]") -> str:
        return f"{found['before']}{by(int(found['number']) * _UNITS[found['unit']])}{found['after']}"

    return _DURATION.sub(one, rules)
