"""``make bench``: every figure, as a ratio to a floor of the same run where there is one.

Prints a table, writes ``bench.json`` and, with ``--write``, ``docs/performance.md``; exits 1 when an aim is missed.
"""

import json
import sys
from pathlib import Path

from tests.bench import aggregator, consuming, hot_branch, hot_path, latency, relay, scale, whole
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


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    head = ["| what | value | floor | ratio | aim | |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(_line, rows)])


def main() -> int:
    """Measure everything, one thing after the other."""
    rows = [
        *hot_path.run(),
        *hot_branch.run(),
        *_folding(),
        *consuming.run(),
        *scale.run(),
        *whole.run(),
        *relay.run(),
        *latency.run(),
    ]
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
