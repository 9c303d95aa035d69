"""A process with everything imported, that forks the system on order: a start in a tenth of the time.

``python -m tests.chaos.warm`` reads one JSON order a line and answers each with one line: ``{"start": [arguments],
"environment": {…}, "output": file}`` with a pid, ``{"poll": pid}`` with an exit code or null, ``{"wait": pid}`` with an
exit code. At the end of its input it ends what it started. What is forked is a process of its own, killed and started
like any other.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from shared.testing.process import Child
from shared.testing.source import ROOT


class Warm:
    """The parent's side."""

    def __init__(self) -> None:
        path = f"{ROOT}:{ROOT / 'clients' / 'python'}"
        self._process = subprocess.Popen(
            ["env", f"PYTHONPATH={path}", sys.executable, "-m", "tests.chaos.warm"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._lock = threading.Lock()

    def launch(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Child:
        """Start `wangdian` with these arguments."""
        order = {"start": list(arguments), "environment": dict(environment), "output": str(output)}
        return _Forked(self, self.ask(order))

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> tuple[int, str]:
        """Run a command of `wangdian` to its end: its exit code and what it said."""
        output.unlink(missing_ok=True)
        child = self.launch(arguments, environment, output)
        return self.ask({"wait": child.pid}), output.read_text(encoding="utf-8")

    def ask(self, order: dict[str, Any]) -> Any:
        """One order, one answer."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


class _Forked:
    def __init__(self, warm: Warm, pid: int) -> None:
        self._warm = warm
        self._code: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._warm.ask({"poll": self.pid})
        return self._code


def _child(order: dict[str, Any]) -> None:
    os.setsid()
    said = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)
    os.environ.update(order["environment"])
    sys.argv = ["wangdian", *order["start"]]
    code = 1
    try:
        from services.__main__ import main as wangdian

        wangdian()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto  # noqa: F401 - what uvicorn loads by name

    import services.commands.example_bank  # noqa: F401 - loaded on demand by the command
    from services.registry import load

    load()
    gc.freeze()
    running: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                _child(order)
            running.add(pid)
            answer: int | None = pid
        else:
            pid = order.get("poll") or order["wait"]
            ended, status = os.waitpid(pid, os.WNOHANG if "poll" in order else 0)
            answer = os.waitstatus_to_exitcode(status) if ended else None
            if ended:
                running.discard(pid)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    _serve()
