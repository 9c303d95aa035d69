"""Log lines: what they hold, and what can never get into them."""

import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.observability.logging import configure_logging, get_logger
from shared.observability.tracing import trace_of

NAME = "王小明"
PHONE = "13800138000"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class RefusedError(Exception):
    """Like a problem: its class has a code."""

    code = "window_busy"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    root, hook, config = logging.getLogger(), threading.excepthook, structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO")
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)
    structlog.configure(**config)
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_has_the_fields_of_the_house(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.contextvars.bind_contextvars(service="queue")
    with trace_of(f"00-{TRACE}-00f067aa0ba902b7-01"):
        get_logger("events").warning("subject_parked", subject="v-1", code="boom", count=3, wait_seconds=1.5)
    (line,) = lines(capsys)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "events",
        "event": "subject_parked",
        "trace_id": TRACE,
        "service": "queue",
        "subject": "v-1",
        "code": "boom",
        "count": 3,
        "wait_seconds": 1.5,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "ok"},
        {"phone": PHONE},
        {"detail": "text"},
        {"national_id": "11010519491231002X"},
        {"subject": NAME},
        {"subject": "two words"},
        {"code": "a@b.example"},
        {"error": {"name": NAME}},
        {"services": ["cash", NAME]},
        {"wait_seconds": NAME},
        {"id": b"bytes"},
    ],
)
def test_keys_off_the_list_and_values_of_another_shape_are_dropped(
    fields: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    get_logger("x").info("something", **fields)
    (line,) = lines(capsys)
    assert set(line) == {"time", "level", "logger", "event", "dropped"}
    assert line["dropped"] == 1


def test_a_sentence_is_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("x").info(f"hello {NAME}")
    (line,) = lines(capsys)
    assert line["event"] == "message_withheld"


def test_an_exception_shows_types_codes_and_places_but_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise ValueError(NAME)
        except ValueError as error:
            raise RefusedError(PHONE) from error
    except RefusedError:
        get_logger("x").exception("failed")
    (line,) = lines(capsys)
    assert NAME not in str(line)
    assert PHONE not in str(line)
    found = line["exception"]
    assert (found["type"].rpartition(".")[2], found["code"], found["cause"]["type"]) == (
        "RefusedError",
        "window_busy",
        "ValueError",
    )
    assert found["frames"][-1].startswith("tests/kit/observability/test_logging.py:")
    assert found["frames"][-1].endswith("test_an_exception_shows_types_codes_and_places_but_no_message")


def test_groups_show_their_parts(capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("x").error("failed", exc_info=ExceptionGroup(NAME, [KeyError(NAME), OSError(NAME)]))
    (line,) = lines(capsys)
    assert [part["type"] for part in line["exception"]["parts"]] == ["KeyError", "OSError"]
    assert NAME not in json.dumps(line, ensure_ascii=False)


def test_a_library_gives_its_template_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiokafka.cluster").warning("Topic %s of %s is gone", "t", NAME)
    (line,) = lines(capsys)
    assert line["event"] == "Topic %s of %s is gone"
    assert (line["level"], line["logger"]) == ("warning", "aiokafka.cluster")
    assert line["place"].startswith("test_logging.py:")
    assert NAME not in str(line)


def test_a_ready_made_message_of_an_unknown_library_is_withheld(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("asyncio").error(f"Task exception was never retrieved {NAME}", exc_info=ValueError(NAME))
    (line,) = lines(capsys)
    assert line["event"] == "message_withheld"
    assert line["exception"]["type"] == "ValueError"
    assert NAME not in str(line)


def test_libraries_whisper_below_warning_and_access_lines_are_off(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("sqlalchemy.engine").info("SELECT %s", NAME)
    logging.getLogger("uvicorn.access").error("GET /queue/v1/t/secret")
    assert lines(capsys) == []


def test_warnings_and_dying_threads_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise ValueError(NAME)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"about {NAME}", stacklevel=1)
    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    found = lines(capsys)
    assert found[-1]["event"] == "thread_failed"
    assert NAME not in json.dumps(found, ensure_ascii=False)


def test_logging_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    get_logger("x").info("odd", subject=Odd(), some_id=Odd())
    logging.getLogger().handlers[0].emit(logging.makeLogRecord({"pathname": None}))
    assert [line["event"] for line in lines(capsys)] == ["odd", "log_line_lost"]


def test_the_level_is_honoured(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("error")
    get_logger("x").warning("quiet")
    assert lines(capsys) == []
