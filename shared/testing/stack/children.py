"""Processes that belong together: started in order, watched, and ended with their supervisor, whatever ends that."""

import http.client
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared.testing.source import ROOT
from shared.testing.starter import popen

POLL = 0.05
TAIL = 30


class StackFailed(RuntimeError):
    """A part of the stack could not be had or ended; says which, with the end of its log."""


@dataclass
class Child:
    """One process: what it runs, where it writes, and how it is asked to end."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_by: signal.Signals = signal.SIGTERM
    user: str = ""
    cwd: Path = ROOT
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it in a session of its own, to be ended by the kernel if this supervisor dies."""
        guard = (
            [] if shutil.which("setpriv") is None else ["setpriv", "--pdeathsig", self.stop_by.name.removeprefix("SIG")]
        )
        if self.user:
            guard += ["--reuid", self.user, "--regid", self.user, "--clear-groups"]
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        with self.log.open("ab") as said:
            self.process = popen(
                [*guard, "env", *settings, *self.arguments],
                cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        if self.process is None:
            raise StackFailed(f"{self.name} was not started")
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.alive and self.process is not None:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within ``seconds``; a frozen one is let go on first."""
        if self.process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        return not self.alive

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.send(signal.SIGKILL)
        self.wait(30)

    def tail(self) -> str:
        """The last lines it wrote."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])

    def failed(self, what: str) -> StackFailed:
        """An error about it."""
        return StackFailed(f"{self.name} {what}; the end of {self.log}:\n{self.tail()}")

    def wait_for(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready``; :class:`StackFailed` when it ends before or takes longer."""
        until = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise self.failed("ended at its start")
            if time.monotonic() > until:
                raise self.failed(f"was not ready within {seconds:g} s")
            time.sleep(POLL)

    def run(self, seconds: float) -> None:
        """Start it and wait for its end; :class:`StackFailed` unless it ends well."""
        self.start()
        self.finish(seconds)

    def finish(self, seconds: float) -> None:
        """Wait for the end of a command; :class:`StackFailed` unless it ends well."""
        if not self.wait(seconds):
            self.kill()
            raise self.failed(f"took longer than {seconds:g} s")
        if self.process is not None and self.process.returncode:
            raise self.failed(f"failed with {self.process.returncode}")


def stop(children: Sequence[Child], seconds: float = 20.0) -> None:
    """Ask all of them to end, those that were frozen too, then make them."""
    for child in children:
        child.send(child.stop_by)
        child.send(signal.SIGCONT)
    until = time.monotonic() + seconds
    for child in children:
        if not child.wait(max(0.1, until - time.monotonic())):
            child.kill()


def answers(url: str, text: str = "") -> bool:
    """Whether a GET of ``url`` is answered with 200 and ``text`` in it."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # nosec B310 # noqa: S310 - our own loopback address
            return reply.status == 200 and text in reply.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException):
        return False
