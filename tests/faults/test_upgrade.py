"""A rolling upgrade: the running build serves on the next build's schema while the next one starts beside it.

The next build is this code with one migration more (a new column and an index, as an expansion makes them); the
previous build is this code as it is, which knows nothing of that migration.
"""

import asyncio
import shutil
from itertools import count

import httpx
import pytest

from shared.testing.source import ROOT
from shared.testing.stack.children import stop
from tests.faults.rig import connected

REVISION = '''"""What the next release adds: a column that may be empty, and an index."""

import sqlalchemy as sa
from alembic import op

revision = "q9999"
down_revision = "q0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visit", sa.Column("of_next_release", sa.Text))
    op.create_index("ix_visit_of_next_release", "visit", ["of_next_release"])


def downgrade() -> None:
    op.drop_index("ix_visit_of_next_release", "visit")
    op.drop_column("visit", "of_next_release")
'''
LEAVING = 1.0
"""Seconds from taking a process off the list of addresses to telling it to end, as a rollout does it."""


@pytest.fixture
def next_build(tmp_path):
    """The folder of the next build."""
    for name in ("services", "shared", "examples", "clients/python"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    (tmp_path / "services" / "queue" / "migrations" / "versions" / "q9999_next.py").write_text(REVISION)
    return tmp_path


class Traffic:
    """Tickets and readings, each sent once to one of the addresses in service; whatever is not a 2xx has failed."""

    def __init__(self, scene, ports):
        self._scene, self.ports = scene, ports
        self._numbers = count()
        self.failed, self.answered = [], 0

    async def run(self, client):
        """One caller, until cancelled."""
        headers = {"Authorization": f"Bearer {self._scene.stack.token('kiosk', None, 'gz-001')}"}
        while True:
            number = next(self._numbers)
            url = f"http://127.0.0.1:{self.ports[number % len(self.ports)]}/queue/v1"
            try:
                reply = await client.post(
                    f"{url}/branches/gz-001/tickets", json={"service": "cash", "channel": "kiosk"},
                    headers=headers | {"Idempotency-Key": f"upgrade-{number}"},
                )  # fmt: skip
                self._note(reply)
                self._note(await client.get(f"{url}/visits/{reply.json()['id']}", headers=headers))
            except (httpx.TransportError, KeyError) as error:
                self.failed.append(repr(error))
            await asyncio.sleep(0.02)

    def _note(self, reply):
        self.answered += 1
        if not reply.is_success:
            self.failed.append(f"{reply.status_code} {reply.text}")


async def test_no_request_fails_while_a_release_is_rolled_out(scene, next_build):
    stack = scene.stack
    old = stack.public_port("queue")
    traffic = Traffic(scene, [old])
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        callers = [asyncio.create_task(traffic.run(client)) for _ in range(4)]
        try:
            assert "migrated" in await asyncio.to_thread(stack.run, "queue", "migrate", "queue", code=next_build)
            async with connected(stack, "queue") as queue:
                assert "q9999" in [row[0] for row in await queue.fetch("SELECT version_num FROM alembic_version")]
            before = traffic.answered
            await asyncio.sleep(1)  # the old build alone on the new schema
            assert traffic.answered > before
            for role in ("serve", "work"):
                await asyncio.to_thread(stack.beside, "queue", role, 2, next_build)
            new = int(stack.children["queue serve 2"].environment["PORT"])
            traffic.ports = [old, new]
            before = traffic.answered
            await asyncio.sleep(1)  # both builds
            assert traffic.answered > before
            traffic.ports = [new]
            await asyncio.sleep(LEAVING)
            leaving = [stack.children[f"queue {role}"] for role in ("serve", "work")]
            await asyncio.to_thread(stop, leaving)
            assert [child.process.returncode for child in leaving] == [0, 0]
            before = traffic.answered
            await asyncio.sleep(1)  # the new build alone
            assert traffic.answered > before
            # And back: an old build starts on the new schema.
            for role in ("serve", "work"):
                await asyncio.to_thread(stack.start, f"queue {role}")
            traffic.ports = [old]
            await asyncio.sleep(LEAVING)
            await asyncio.to_thread(stop, [stack.children.pop(f"queue {role} 2") for role in ("serve", "work")])
        finally:
            for caller in callers:
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
    assert traffic.failed == []
    assert traffic.answered > 100
    scene.forget_processes()
    await scene.caught_up()
