"""What tests of the running distributed system share: its command line, and waiting for what must come."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from shared.testing.source import ROOT
from shared.testing.stack.stack import Stack

PATIENCE = 60.0


def wangdian(stack: Stack, *arguments: str) -> str:
    """What the command prints, with the environment that `make run` would have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANGDIAN_")}
    environment = kept | {
        "WANGDIAN_DATA": str(stack.settings.data),
        "PORT": str(stack.settings.port),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python'}",
    }
    told = subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def eventually(check: Callable[[], Any], what: str = "") -> Any:
    """The first true answer; ``what`` names it where none comes."""
    until = time.monotonic() + PATIENCE
    while not (found := check()) and time.monotonic() < until:
        time.sleep(0.5)
    assert found, what or check
    return found
