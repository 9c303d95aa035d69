"""The database is killed, cut off, read-only, locked and full, under load: 503 with Retry-After, and nothing is lost.

The processes stay the same ones: a restart would not help, and a thousand at once would hurt.
"""

import asyncio
import os
import shutil

import pytest

from tests.faults.rig import connected, until


def is_small(disk):
    """Whether the file system can be filled without harm to others."""
    return disk.is_mount()


async def test_the_server_is_killed_and_started_again(scene):
    async with scene.customers():
        await asyncio.sleep(1)
        scene.stack.kill("postgres")
        await scene.refused()
        await asyncio.sleep(3)
        await scene.refused()
        await asyncio.to_thread(scene.stack.start, "postgres")
    await scene.caught_up()


async def test_connections_are_cut_in_the_middle_of_transactions(scene):
    cut = 0
    async with scene.customers(), connected(scene.stack, "postgres") as admin:
        until_ = asyncio.get_running_loop().time() + 3
        while cut < 8 or asyncio.get_running_loop().time() < until_:
            await asyncio.sleep(0.02)
            cut += await admin.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE 'wangdian-%' AND (state LIKE '%transaction%' OR state = 'active')"
            )
    await scene.caught_up()


async def test_a_primary_that_became_read_only_still_answers_reads(scene):
    visit = (await scene.ticket()).json()["id"]
    async with scene.customers(), connected(scene.stack, "postgres") as admin:
        await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await admin.execute("SELECT pg_reload_conf()")
        try:
            await scene.refused()
            assert await scene.status_of(visit) in ("waiting", "called", "serving", "served", "no_show", "left")
            await asyncio.sleep(2)
            await scene.refused()
        finally:
            await admin.execute("SET transaction_read_only = off")
            await admin.execute("SET default_transaction_read_only = off")
            await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await admin.execute("SELECT pg_reload_conf()")
    await scene.caught_up()


async def test_a_lock_that_is_held_for_long(scene):
    async with scene.customers(), connected(scene.stack, "queue") as admin, admin.transaction():
        await admin.execute("LOCK TABLE ticket_counter, outbox, consumer_offset IN ACCESS EXCLUSIVE MODE")
        await scene.refused()
        # Longer than any statement may take, several times over; other tables are read meanwhile.
        for _ in range(3):
            await scene.refused()
        assert await scene.alive()
    await scene.caught_up()


async def test_a_full_disk(scene, small_disk):
    disk = small_disk / "stack" / "postgres"
    if not is_small(disk):
        pytest.skip("a small file system can be mounted by root only")
    ballast = disk / "ballast"
    async with scene.customers():
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
        try:
            # Pages that are there already take some more rows.
            await until(scene.is_refused, 60)
            await scene.refused()
            await asyncio.sleep(2)
            await scene.refused()
        finally:
            ballast.unlink()
        if not scene.stack.children["postgres"].alive:  # its log could not grow: it needs an operator
            await asyncio.to_thread(scene.stack.start, "postgres")
    await scene.caught_up()
