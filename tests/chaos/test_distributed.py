"""SIGKILL of APIs, workers, broker and database under load: nothing acknowledged is lost or has its effect twice."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.chaos.leg import play

KILLS = int(os.environ.get("CHAOS_KILLS", "12"))
"""Each is a restart of a whole process; the embedded rounds beside this test are fifty."""
SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.timeout(420 + 4 * KILLS)
async def test_nothing_is_lost_or_done_twice_whichever_process_dies() -> None:
    folder = Path(tempfile.mkdtemp(prefix="wangdian-chaos-"))
    report = await play(folder, SEED, KILLS)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    assert (report["lost"], report["doubled"], report["wrong"]) == ([], [], [])
    assert report["kills"] == KILLS
    assert set(report["kills_by_place"]) == {"api", "worker", "broker", "database"}
    # Restarts eat most of a small machine; what is between them is still whole visits.
    assert report["visits"] >= KILLS // 5
    shutil.rmtree(folder)
