"""What a doctor looks at in one process: migrations, clocks, disk and keys."""

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from pydantic import BaseModel, Field

from shared.db.migrate import applied
from shared.db.tables import data_key

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime

_KIDS: Final = sa.select(data_key.c.kid, sa.func.count().label("count")).group_by(data_key.c.kid)


class Condition(BaseModel):
    """How a service's process and what it stands on are.

    ``clock_ahead_seconds`` is our clock less the database's. ``keys_unknown`` counts data keys wrapped by a key that
    this process does not have: what they protect cannot be read. ``keys_outdated`` counts those that a rotation has not
    reached yet. ``audit_key_own`` is False while the audit log is signed with the key that all services share.
    """

    service: str = Field(examples=["queue"])
    migrated: bool
    clock_ahead_seconds: float
    disk_free_bytes: int
    disk_free_share: float
    key: str
    keys_outdated: int
    keys_unknown: int
    audit_key_own: bool


async def condition(runtime: "ServiceRuntime") -> Condition:
    """Look at ``runtime``'s database, disk (of the data folder) and keys."""
    before = runtime.clock.now()
    theirs = await runtime.db.time()
    after = runtime.clock.now()
    ahead = before + (after - before) / 2 - theirs
    disk = shutil.disk_usage(runtime.settings.data)
    active = runtime.keyring.active_kid()
    kids = {row.kid: row.count for row in await runtime.db.read(lambda reads: reads.all(_KIDS))}
    unknown = sum(count for kid, count in kids.items() if not runtime.keyring.has(kid))
    return Condition(
        service=runtime.name,
        migrated=await applied(runtime.db, runtime.spec.migrations),
        clock_ahead_seconds=ahead / timedelta(seconds=1),
        disk_free_bytes=disk.free,
        disk_free_share=disk.free / disk.total,
        key=active,
        keys_outdated=sum(kids.values()) - kids.get(active, 0) - unknown,
        keys_unknown=unknown,
        audit_key_own=runtime.sealer.keys.own,
    )
