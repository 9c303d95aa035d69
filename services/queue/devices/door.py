"""Lets enrolled devices in, by their key (pages) or a short token (API); looked up each time."""

from typing import TYPE_CHECKING, Any

from services.queue.devices import queries
from services.queue.devices.rules import DeviceState
from services.queue.devices.service import subject
from shared.db.uow import Reads
from shared.security.principal import Principal

if TYPE_CHECKING:
    from shared.runtime import ServiceRuntime


class Door:
    """What ``app.state.devices`` is where the queue service runs."""

    def __init__(self, runtime: "ServiceRuntime") -> None:
        self._db, self._keys = runtime.db, runtime.keyring

    async def by_secret(self, secret: str) -> Principal | None:
        """The device whose key this is, while it is enrolled."""
        digest = self._keys.token_hash(secret)

        async def look(reads: Reads) -> Any:
            return await reads.one(queries.BY_SECRET, secret_hash=digest)

        row = await self._db.read(look)
        if row is None or row.state != DeviceState.ACTIVE:
            return None
        return Principal(subject(row.id), None, frozenset({row.kind}), (row.unit,), "device")

    async def by_token(self, token: str) -> Principal | None:
        """The device whose short token this is, while both are good."""
        digest = self._keys.token_hash(token)

        async def look(reads: Reads) -> Any:
            return await reads.one(queries.TOKEN, hash=digest, at=reads.now)

        row = await self._db.read(look)
        if row is None or (row.device is not None and row.state != DeviceState.ACTIVE):
            return None
        return Principal(row.sub, None, frozenset({row.role}), (row.unit,), "device", row.expires_at)
