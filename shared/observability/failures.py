"""An exception as a log line may show it: types and places, never messages.

Messages of exceptions quote what went wrong, and that may be a name, a contact or the parameters of a statement.
"""

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_DEEPEST = 5
_FRAMES = 40


def describe(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """``{type, code?, frames, cause?, parts?}`` of ``error``; innermost frame last, as file:line:function.

    ``code`` is that of the class (a problem's), a constant in our code.
    """
    kind = type(error)
    found: dict[str, Any] = {
        "type": kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    }
    code = getattr(kind, "code", None)
    if isinstance(code, str):
        found["code"] = code
    found["frames"] = _frames(error.__traceback__)
    if depth < _DEEPEST:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            found["cause"] = describe(cause, depth + 1)
        if isinstance(error, BaseExceptionGroup):
            found["parts"] = [describe(part, depth + 1) for part in error.exceptions[:_DEEPEST]]
    return found


def from_exc_info(exc_info: Any) -> BaseException | None:
    """The exception meant by logging's ``exc_info``: an exception, a triple, or True for the one being handled."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{trace.tb_lineno}:{code.co_qualname}")
        trace = trace.tb_next
    return frames[-_FRAMES:]


def _short(file: str) -> str:
    path = Path(file)
    if "site-packages" in path.parts:
        return Path(*path.parts[path.parts.index("site-packages") + 1 :]).as_posix()
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name
