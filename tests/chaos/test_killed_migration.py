"""A process that is killed while it makes its tables must start again afterwards."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from services.registry import load
from shared.db.migrate import migrate_sqlite
from shared.testing.source import ROOT

KILLED = """
import itertools, os, signal, sys
from pathlib import Path
import alembic.op

made, make = itertools.count(1), alembic.op.create_table

def create_table(*arguments, **options):
    if next(made) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return make(*arguments, **options)

alembic.op.create_table = create_table
from shared.db.migrate import migrate_sqlite
migrate_sqlite(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("table", [2, 14])
def test_a_killed_migration_leaves_nothing_half_done(tmp_path, table) -> None:
    (spec,) = load(["queue"])
    path = tmp_path / "queue.sqlite3"
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), spec.migrations, str(table)], cwd=ROOT, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    raw.close()
    assert migrate_sqlite(path, spec.migrations)
    assert not migrate_sqlite(path, spec.migrations)
