"""``make chaos``: many kills on the distributed system, in legs that each prove what came of them.

``python -m tests.chaos.legs KILLS SECONDS FOLDER SEED``: a leg begins while kills are wanted and time is left (0: no
limit). Reports of finished legs stay in FOLDER: the same call goes on where the last one ended, and the sum is printed.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.leg import play

LEG = 100
"""Kills of one leg."""


def total(seed: int, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """One report of all legs."""
    places: Counter[str] = Counter()
    for report in reports:
        places.update(report["kills_by_place"])
    sums = ("kills", "seconds", "writes", "acknowledged_after_repetition", "visits", "events", "told_again")
    faults = ("lost", "doubled", "wrong")
    return {
        "seed": seed,
        "legs": len(reports),
        **{name: sum(report[name] for report in reports) for name in sums},
        "kills_by_place": dict(places.most_common()),
        **{name: [fault for report in reports for fault in report[name]] for name in faults},
    }


def main(kills: int, seconds: float, folder: Path, seed: int) -> int:
    """Play the legs that are missing; 0 when all that was played is without faults and complete."""
    folder.mkdir(parents=True, exist_ok=True)
    begun, reports, done = time.monotonic(), [], 0
    for leg in range(10**6):
        left = kills - done
        if left <= 0:
            break
        file = folder / f"seed-{seed}-leg-{leg:03d}.json"
        if not file.exists():
            if seconds and time.monotonic() - begun > seconds:
                break
            # Its data and logs stay where they are if the leg cannot be finished.
            work = Path(tempfile.mkdtemp(prefix="wangdian-chaos-"))
            sys.stderr.write(f"leg {leg} in {work}\n")
            report = asyncio.run(play(work, seed * 1000 + leg, min(LEG, left)))
            shutil.rmtree(work)
            file.write_text(json.dumps(report, ensure_ascii=False, indent=1))
            sys.stderr.write(f"leg {leg}: {report['kills']} kills in {report['seconds']} s\n")
        reports.append(json.loads(file.read_text()))
        done += reports[-1]["kills"]
    summed = total(seed, reports)
    (folder / f"seed-{seed}.json").write_text(json.dumps(summed, ensure_ascii=False, indent=1))
    sys.stdout.write(json.dumps(summed, ensure_ascii=False, indent=1) + "\n")
    return int(bool(summed["lost"] or summed["doubled"] or summed["wrong"]) or done < kills)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
