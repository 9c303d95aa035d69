"""A running system as its users have it: a process of its own, on its own port and data folder."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from shared.testing.ports import free_port
from shared.testing.source import ROOT

PATIENCE = 60.0
"""Seconds that a loaded machine may take to start."""


class NotRunning(AssertionError):
    """The process ended, or did not get ready; the text is the end of its log."""


class RunningSystem:
    """``wangdian run`` on ``folder``, ready when the context begins; stopped with SIGTERM when it ends.

    ``env`` adds to the environment; ``port`` is a free one unless given. After :meth:`kill` or :meth:`terminate`,
    :meth:`start` runs it again on the same folder and port.
    """

    def __init__(self, folder: Path, port: int | None = None, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = folder.with_name(f"{folder.name}.log")
        self.env = environment() | {"WANGDIAN_DATA": str(folder), "PORT": str(self.port)} | dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()

    def start(self) -> None:
        """Start, and wait until it is ready. Raises :class:`NotRunning`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services", "run"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        try:
            self.wait_until(self._ready)
        except BaseException:
            self.kill()
            raise

    def wait_until(self, happened: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until ``happened()``. Raises :class:`NotRunning` when it does not in time, or the process has ended."""
        end = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > end or self._process is None or self._process.poll() is not None:
                raise NotRunning(self.said()[-4000:])
            time.sleep(0.05)

    def wait_for_bank(self) -> None:
        """Wait until the example bank is loaded."""
        self.wait_until(lambda: '"example_bank_loaded"' in self.said())

    def said(self) -> str:
        """All that it has logged, over all its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def terminate(self) -> int | None:
        """Ask it to stop and wait; returns the exit status, None if it did not run."""
        return self._end(subprocess.Popen.terminate)

    def kill(self) -> int | None:
        """SIGKILL: no goodbye, as a power cut."""
        return self._end(subprocess.Popen.kill)

    def _end(self, how: Callable[["subprocess.Popen[bytes]"], None]) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        how(process)
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _ready(self) -> bool:
        try:
            with urlopen(f"{self.base_url}/readyz", timeout=5) as answer:  # noqa: S310 - our own child on loopback
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def environment() -> dict[str, str]:
    """This process's environment without settings of the product, and with this checkout's packages first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANGDIAN_") and name != "PORT"}
    paths = [str(ROOT), str(ROOT / "clients" / "python")]
    return kept | {"PYTHONPATH": os.pathsep.join([*paths, *filter(None, [kept.get("PYTHONPATH")])])}
