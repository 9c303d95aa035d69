"""A distributed system whose parts may be broken: its database lies on a file system that is small."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.registry import SERVICES
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.stack.stack import Stack
from tests.faults.rig import Scene, load

SMALL = "600m"


@pytest.fixture(scope="session")
def small_disk() -> Iterator[Path]:
    """The data folder, with PostgreSQL's files on a small file system where this user may mount one.

    It is not below pytest's own folder: that is closed again by whoever starts pytest next, and PostgreSQL, which runs
    as another user, could not start a second time.
    """
    data = Path(tempfile.mkdtemp(prefix="wangdian-faults-")) / "data"
    disk = data / "stack" / "postgres"
    disk.mkdir(parents=True)
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(disk)], check=False, capture_output=True
        ).returncode
    )
    yield data
    if mounted:
        subprocess.run(["umount", str(disk)], check=True)
    shutil.rmtree(data.parent)


@pytest.fixture(scope="session")
def broken(small_disk: Path) -> Iterator[Stack]:
    """The system with the example bank; statements may take a second, so that a lock held for long is soon noticed."""
    settings = Settings(data=small_disk, PORT=free_port())
    with Stack(
        list(SERVICES), settings, say=print, environment={"WANGDIAN_STATEMENT_TIMEOUT_MS": "1000"}, scraped=False
    ) as stack:
        asyncio.run(load(stack))
        yield stack


@pytest.fixture
async def scene(broken: Stack, tmp_path: Path) -> Scene:
    """The system before a fault: all is well."""
    made = Scene(broken, tmp_path)
    await made.caught_up()
    return made
