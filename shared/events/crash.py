"""Where the chaos suite kills the process: a no-op unless the settings name this very point."""

import os
import signal

from shared.settings import crash_point

_POINT, _, _COUNT = crash_point().partition("#")
_left = int(_COUNT or "1")


def crash(point: str) -> None:
    """SIGKILL this process at the named point, at its n-th passing (``point#n``), if the settings ask for it."""
    global _left  # noqa: PLW0603 - a countdown of the process
    if _POINT != point:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
