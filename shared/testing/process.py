"""The whole system as a real process on a folder, to be started, killed and started again."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from shared.clock import SystemClock
from shared.security.issuer import DevelopmentIssuer
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.source import ROOT

POLL = 0.02


class Child(Protocol):
    """A process that was started and can be waited for."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that ended it), None while it runs."""
        ...


Launch = Callable[[Sequence[str], Mapping[str, str], Path], Child]
"""Starts `wangdian` with these arguments and settings; what it says goes to the end of the file."""


def launch(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Child:
    """A new interpreter, in a process group of its own."""
    settings = [f"{name}={value}" for name, value in environment.items()]
    with output.open("ab") as said:
        return subprocess.Popen(  # nosec B603, B607
            ["env", *settings, sys.executable, "-m", "services", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip


class Died(Exception):
    """The process ended before it was ready; the text is the end of what it said."""


class RunningSystem:
    """``wangdian run`` on ``folder``, as a context manager that leaves no process behind.

    ``base_url`` stays the same over restarts. ``output`` is the file with all that the processes have said.
    """

    def __init__(self, folder: Path, *, start: Launch = launch, **settings: str) -> None:
        self.folder = folder / "data"
        self.output = folder / "wangdian.log"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "WANGDIAN_DATA": str(self.folder),
            "PORT": str(self.port),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python'}",
        } | settings
        self._launch = start
        self._child: Child | None = None
        self._issuer: DevelopmentIssuer | None = None

    def start(self, crash_at: str = "") -> None:
        """Start the process and return at once; ``crash_at`` arms one of the kit's crash points (``point#n``)."""
        if self.alive:
            raise RuntimeError("it runs already")
        self._child = self._launch(["run"], self.environment | {"WANGDIAN_CRASH_AT": crash_at}, self.output)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, seconds: float = 120.0) -> float:
        """Wait for /readyz; returns the seconds it took. Raises :class:`Died`, or TimeoutError after ``seconds``."""
        begun = time.monotonic()
        while self.answer("/readyz") != 200:
            if not self.alive:
                raise Died(self.said()[-2000:])
            if time.monotonic() - begun > seconds:
                raise TimeoutError(self.said()[-2000:])
            time.sleep(POLL)
        return time.monotonic() - begun

    def answer(self, path: str) -> int | None:
        """The status of a GET, None without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def wait_for_bank(self, seconds: float = 120.0) -> None:
        """Wait until the example bank is loaded."""
        until = time.monotonic() + seconds
        while '"example_bank_loaded"' not in self.said():
            if not self.alive or time.monotonic() > until:
                raise Died(self.said()[-2000:])
            time.sleep(POLL)

    @property
    def pid(self) -> int:
        """The running process."""
        if self._child is None:
            raise RuntimeError("it does not run")
        return self._child.pid

    def wait_dead(self, seconds: float) -> int | None:
        """Wait for the end; the exit code, None if it still runs after ``seconds``."""
        if self._child is None:
            return None
        until = time.monotonic() + seconds
        while (code := self._child.poll()) is None and time.monotonic() < until:
            time.sleep(POLL)
        return code

    def kill(self) -> None:
        """SIGKILL, to the whole process group."""
        self._end(signal.SIGKILL, 30.0)

    def terminate(self) -> int | None:
        """SIGTERM, and the exit code after an orderly end."""
        return self._end(signal.SIGTERM, 60.0)

    def _end(self, how: signal.Signals, seconds: float) -> int | None:
        if self._child is None:
            return None
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, how)
        code = self.wait_dead(seconds)
        if code is None:
            self.kill()
        self._child = None
        return code

    def said(self) -> str:
        """Everything the processes have said so far."""
        return self.output.read_text(encoding="utf-8", errors="replace") if self.output.exists() else ""

    def token(self, role: str, staff: str | None = None, unit: str = "hq") -> str:
        """A bearer token of the folder's development issuer, as ``wangdian token`` prints it."""
        if self._issuer is None:
            known = Settings(data=self.folder)
            self._issuer = DevelopmentIssuer(
                self.folder / "keys", known.token_issuer, known.token_audience, SystemClock()
            )
        return self._issuer.issue(role, sub=staff or f"{role}@{unit}", staff_id=staff, units=[unit])

    def __enter__(self) -> Self:
        self.output.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()


__all__ = ["Child", "Died", "Launch", "RunningSystem", "free_port", "launch"]
