"""Backup and restore rehearsed on PostgreSQL and Kafka: one service goes back to an earlier moment, others do not."""

import asyncio
import subprocess
from datetime import UTC, datetime

from shared.testing.stack.servers import postgres_programs
from tests.faults.rig import connected
from tests.faults.test_consumers import each_event_had_one_effect


def tool(scene, name, *arguments):
    """A program of PostgreSQL on the server."""
    url = scene.stack.database_url("surveys")
    subprocess.run([postgres_programs() / name, "-d", url, *arguments], check=True, timeout=60, capture_output=True)


async def test_a_restored_service_catches_up_and_doubles_nothing(scene, tmp_path):
    stack, copy = scene.stack, str(tmp_path / "surveys.dump")
    await scene.come(20)
    await scene.caught_up()
    moment = datetime.now(UTC).replace(microsecond=0)
    await asyncio.to_thread(tool, scene, "pg_dump", "-Fc", "-f", copy)
    async with connected(stack, "surveys") as surveys:
        kept = await surveys.fetchval("SELECT count(*) FROM invitation")
    await scene.come(30)
    await scene.caught_up()
    async with connected(stack, "surveys") as surveys:
        lost = {row["id"] for row in await surveys.fetch("SELECT id FROM invitation")}

    for role in ("serve", "work"):
        stack.kill(f"surveys {role}")
    async with connected(stack, "postgres") as admin:
        await admin.execute("DROP DATABASE surveys WITH (FORCE)")
        await admin.execute("CREATE DATABASE surveys")
    await asyncio.to_thread(tool, scene, "pg_restore", copy)
    async with connected(stack, "surveys") as surveys:
        assert await surveys.fetchval("SELECT count(*) FROM invitation") == kept < len(lost)
    since = moment.strftime("%Y-%m-%dT%H:%M:%S%z")
    said = await asyncio.to_thread(stack.run, "surveys", "restored", "surveys", "--since", since)
    assert f"{len(lost) - kept} subjects were told more" in said
    for role in ("serve", "work"):
        await asyncio.to_thread(stack.start, f"surveys {role}")

    scene.forget_processes()
    await scene.come(20)
    await scene.caught_up()
    await each_event_had_one_effect(scene)
    async with connected(stack, "surveys") as surveys, connected(stack, "aggregator") as aggregator:
        # The very same invitations again: a link that was sent before the restore opens its survey.
        now = {row["id"]: row["sequence"] for row in await surveys.fetch(
            "SELECT id, sequence FROM invitation JOIN subject_sequence ON subject = id")}  # fmt: skip
        facts = {row["invitation"]: row["sequence"] for row in await aggregator.fetch(
            "SELECT invitation, sequence FROM fact_response")}  # fmt: skip
    assert lost <= now.keys()
    assert facts == now
