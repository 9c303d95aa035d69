"""Starting processes that end with this one, whichever thread asks for them."""

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

_STARTER = ThreadPoolExecutor(1, "starter")


def popen(arguments: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """``subprocess.Popen`` from a thread that lives as long as this process.

    The kernel tells a process (``setpriv --pdeathsig``) of the death of the *thread* that started it.
    """
    return cast("subprocess.Popen[bytes]", _STARTER.submit(partial(subprocess.Popen, arguments, **options)).result())
