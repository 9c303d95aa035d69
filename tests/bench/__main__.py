"""``make bench``: every figure, as a ratio to a floor of the same run where there is one.

Prints a table, writes ``bench.json`` and, with ``--write``, ``docs/performance.md``; exits 1 when an aim is missed.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench import aggregator, consuming, flat, hot_branch, hot_path, latency, relay, scale, streams, whole
from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]


def _line(row: Row) -> str:
    floor = f"{row.floor:,.0f}" if row.floor else ""
    ratio = f"{row.ratio:.2f}" if row.floor else ""
    aim = "" if row.wanted is None else f"{'≤' if row.at_most else '≥'} {row.wanted:g}"
    return (
        f"| {row.name} | {row.value:,.1f} {row.unit} | {floor} | {ratio} | {aim} | {'' if row.good else '**missed**'} |"
    )


def _folding() -> list[Row]:
    rates = aggregator.run()
    return [Row(rate.name, rate.per_core, "events/s of one core", wanted=10_000) for rate in rates]


PARTS: Final[dict[str, Callable[[], list[Row]]]] = {
    "hot_path": hot_path.run,
    "hot_branch": hot_branch.run,
    "aggregator": _folding,
    "consuming": consuming.run,
    "flat": flat.run,
    "scale": scale.run,
    "whole": whole.run,
    "relay": relay.run,
    "latency": latency.run,
    "streams": streams.run,
}
"""What is measured, in this order; names as arguments ask for some alone."""


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table, with what is to be said of some of them below."""
    head = ["| what | value | floor | ratio | aim | |", "|---|---|---|---|---|---|"]
    notes = [f"- **{row.name}**: {row.note}" for row in rows if row.note]
    return "\n".join([*head, *map(_line, rows), *([""] if notes else []), *notes])


def main() -> int:
    """Measure everything, one thing after the other."""
    asked = [name for name in sys.argv[1:] if name in PARTS] or list(PARTS)
    rows: list[Row] = []
    for name in asked:
        for row in PARTS[name]():
            rows.append(row)
            sys.stderr.write(_line(row) + "\n")
    text = table(rows)
    sys.stdout.write(text + "\n")
    (ROOT / "bench.json").write_text(json.dumps([row.dump() for row in rows], indent=1) + "\n", encoding="utf-8")
    if "--write" in sys.argv:
        intro = (
            "# Performance\n\nMeasured by `make bench` on two shared cores; trust the ratios. A floor does the same "
            "work in the same run with nothing around it.\n\n"
        )
        (ROOT / "docs" / "performance.md").write_text(intro + text + "\n", encoding="utf-8")
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
