"""Uploads wait on disk until they are imported: one file per run, named by its id."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

_RECEIVING: Final = ".part"


class Found(NamedTuple):
    """A file in the folder: its name, the run it was meant for, and when it was last written."""

    name: str
    run: str
    written_at: datetime


class Incoming:
    """A file that is still arriving; it counts only after :meth:`keep`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + _RECEIVING)
        self._file = self._part.open("wb")

    def write(self, piece: bytes) -> None:
        """Append."""
        self._file.write(piece)

    def keep(self) -> None:
        """Make it durable under its name: content and folder are synced when this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Forget what arrived; nothing happens to a file that was kept."""
        self._file.close()
        self._part.unlink(missing_ok=True)


class Spool:
    """The folder of uploads; API and workers of a service share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def receive(self, run: str) -> Incoming:
        """Begin the file of ``run``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return Incoming(self._folder / run)

    def read(self, run: str, offset: int, size: int) -> bytes:
        """At most ``size`` bytes from ``offset``, b"" at the end. Raises FileNotFoundError for a lost file."""
        with (self._folder / run).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def remove(self, run: str) -> None:
        """Drop the file of ``run`` if it is there."""
        (self._folder / run).unlink(missing_ok=True)

    def found(self) -> list[Found]:
        """Everything in the folder, half received files too."""
        if not self._folder.is_dir():
            return []
        return [
            Found(path.name, path.name.removesuffix(_RECEIVING), datetime.fromtimestamp(path.stat().st_mtime, UTC))
            for path in self._folder.iterdir()
        ]
