"""Files that hold keys: readable by their owner only, created once however many processes try."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def create_once(path: Path, content: bytes) -> bytes:
    """Keep ``content`` at ``path`` unless the file exists; returns what the file holds afterwards.

    Of several racing creators exactly one wins and all get the winner's content: the file appears complete, by a hard
    link from a finished temporary file, which fails where the name is taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = _stage(path, content)
    try:
        os.link(staged, path)
        _sync_folder(path.parent)
    except FileExistsError:
        return path.read_bytes()
    finally:
        staged.unlink()
    return content


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step: a reader sees the old file or the new one, whole."""
    _stage(path, content).replace(path)
    _sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the right to change ``path`` against other processes; waits for it."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _stage(path: Path, content: bytes) -> Path:
    # NamedTemporaryFile creates with mode 0600 whatever the umask, and never follows a link somebody planted.
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(file.name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
