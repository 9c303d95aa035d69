"""Structured logs: one JSON object a line on stderr, the same for our own loggers and for libraries.

A line has ``time level logger event trace_id`` and listed fields (:mod:`shared.observability.redaction`). ``event`` is
a constant name; a sentence is withheld, as data may be in it. Of a library's record only the template is written, never
its arguments, and where it was logged.
"""

import json
import logging
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from shared.observability.failures import describe, from_exc_info
from shared.observability.redaction import is_event_name, safe_fields
from shared.observability.tracing import trace_id

WITHHELD = "message_withheld"
TEMPLATES_OF = ("uvicorn", "alembic", "aiokafka", "sqlalchemy.pool")
"""Libraries whose messages without arguments are known to be constants."""

_OWN = ("time", "level", "logger", "event")


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger of the house: ``get_logger("events").error("subject_parked", subject=…, code=…)``.

    The event is a constant name; fields outside the list are dropped and counted under ``dropped``.
    """
    return cast(FilteringBoundLogger, structlog.get_logger(logger_name=name))


def configure_logging(level: str = "INFO") -> None:
    """Route everything that logs in this process through the one chain; called once, by the command line.

    Libraries speak from WARNING on; uvicorn's access log is off: paths hold tokens, and metrics count requests.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(threshold))
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler()]
    root.setLevel(max(threshold, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    # A warning of a library may quote the value it warns about.
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_failed


def _stamp_trace(_: Any, __: str, event: EventDict) -> EventDict:
    current = trace_id()
    return event if current is None else {"trace_id": current, **event}


def _redact(_: Any, __: str, event: EventDict) -> EventDict:
    error = from_exc_info(event.pop("exc_info", None))
    event.setdefault("logger", event.pop("logger_name", ""))
    line: dict[str, Any] = {key: event.pop(key) for key in (*_OWN, "trace_id") if key in event}
    template, place = event.pop("_template", None), event.pop("_place", None)
    if template is not None:
        line["event"] = template
    elif not is_event_name(line.get("event")):
        line["event"] = WITHHELD
    line |= safe_fields({key: value for key, value in event.items() if key not in ("stack_info", "positional_args")})
    if place is not None:
        line["place"] = place
    if error is not None:
        line["exception"] = describe(error)
    return line


def _render(_: Any, __: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _stamp_trace,
    _redact,
    _render,
]


class _LibraryHandler(logging.Handler):
    """Gives records of the standard library's logging to the same chain."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            constant = bool(record.args) or record.name.startswith(TEMPLATES_OF)
            event: MutableMapping[str, Any] = {
                "logger": record.name,
                "event": WITHHELD,
                "exc_info": record.exc_info,
                "_place": f"{Path(record.pathname).name}:{record.lineno}",
            }
            if constant and isinstance(record.msg, str):
                event["_template"] = record.msg.strip()
            line: Any = event
            for processor in _PROCESSORS:
                line = processor(None, record.levelname.lower(), line)
            sys.stderr.write(f"{line}\n")
        except Exception:
            # Logging must not break what it reports.
            sys.stderr.write('{"level":"error","event":"log_line_lost"}\n')


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    get_logger("threads").error("thread_failed", exc_info=failure.exc_value)


def _stderr(*_: Any) -> structlog.WriteLogger:
    # Asked for at each line, so that a redirected stderr is honoured.
    stream: TextIO = sys.stderr
    return structlog.WriteLogger(stream)


# At import, not in configure_logging: no line of ours may take another way, not even before the command line is set up.
structlog.configure(processors=_PROCESSORS, logger_factory=_stderr, cache_logger_on_first_use=False)
