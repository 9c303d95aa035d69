"""What the server has confirmed, line by line, so that it can be asked afterwards whether it still knows."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict

from wangdian_client.exchange import Acknowledged


class Entry(TypedDict):
    """A confirmed write: `id` of the object in the reply (None where it has none), `key` the idempotency key.

    `reply` is the reply's JSON, None for 204; `attempts` above 1 tells that a reply was lost or delayed.
    """

    kind: str
    id: str | None
    key: str
    method: str
    path: str
    status: int
    attempts: int
    reply: Any


class Journal:
    """An NDJSON file of entries, appended to; each is handed to the system before the next request can depend on it."""

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._file = Path(file).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed by `close`

    def record(self, write: Acknowledged) -> None:
        """Append one confirmed write."""
        entry = Entry(
            kind=write.kind,
            id=write.reply.get("id") if isinstance(write.reply, dict) else None,
            key=write.key,
            method=write.method,
            path=write.path,
            status=write.status,
            attempts=write.attempts,
            reply=write.reply,
        )
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def read_journal(file: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a journal, in the order of confirmation."""
    with Path(file).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
