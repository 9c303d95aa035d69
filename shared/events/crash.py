"""Where the chaos suite kills the process: a no-op unless the settings name this very point."""

import itertools
import os
import signal
from functools import cache

from shared.settings import crash_point


@cache
def _armed() -> tuple[str, int, "itertools.count[int]"]:
    # Asked for at the first passing and not at import, so that a process forked from a warm one has its own.
    point, _, passing = crash_point().partition("#")
    return point, int(passing or "1"), itertools.count(1)


def crash(point: str) -> None:
    """SIGKILL this process at the named point, at its n-th passing (``point#n``), if the settings ask for it."""
    wanted, passing, passed = _armed()
    if wanted == point and next(passed) == passing:
        os.kill(os.getpid(), signal.SIGKILL)
