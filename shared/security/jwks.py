"""Where the issuer's public keys come from: memory, a mounted file, or the issuer's URL."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from shared.clock import Clock
from shared.security.jwk import VerificationKey, read_set

MAX_AGE: Final = timedelta(minutes=10)
MAX_STALE: Final = timedelta(hours=24)
MIN_INTERVAL: Final = timedelta(seconds=10)
_TIMEOUT: Final = 5.0


class KeysUnavailable(Exception):
    """The key set cannot be read, and no copy is young enough to be used."""


class JwksProvider(Protocol):
    """Looks up the key that a token names."""

    async def key(self, kid: str) -> VerificationKey | None:
        """The key with this id, the same object while it is unchanged; None if the issuer has no such key.

        Raises :class:`KeysUnavailable`.
        """
        ...


class StaticJwks:
    """A key set that does not change while the process runs (the development issuer's)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._keys = read_set(document)

    async def key(self, kid: str) -> VerificationKey | None:
        """The key with this id, or None."""
        return self._keys.get(kid)


class RefreshingJwks(ABC):
    """A key set kept in memory and read again when it is older than ten minutes or a token names an unknown key.

    Reads happen one at a time and at most every ten seconds, so that forged key ids cannot be used to flood the issuer.
    While the source fails, the last good copy serves for a day. A key that has left the set stops being answered.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: dict[str, VerificationKey] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = asyncio.Lock()

    @abstractmethod
    async def fetch(self) -> Any:
        """The parsed JSON document. Any OSError, ValueError or httpx error counts as a failed read."""

    async def key(self, kid: str) -> VerificationKey | None:
        """The key with this id, or None. Raises :class:`KeysUnavailable`."""
        # While somebody reads the source, a known key is answered from the copy: a slow issuer must not stop everybody.
        if not self._has(kid, MAX_AGE) and not (self._lock.locked() and self._has(kid, MAX_STALE)):
            async with self._lock:
                if not self._has(kid, MAX_AGE) and self._may_try():
                    await self._refresh()
        if self._age() > MAX_STALE:
            raise KeysUnavailable("the issuer's key set cannot be read")
        return self._keys.get(kid)

    def _has(self, kid: str, age: timedelta) -> bool:
        return kid in self._keys and self._age() <= age

    def _age(self) -> timedelta:
        return timedelta.max if self._read_at is None else self._clock.now() - self._read_at

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock.now() - self._tried_at >= MIN_INTERVAL

    async def _refresh(self) -> None:
        self._tried_at = self._clock.now()
        try:
            fresh = read_set(await self.fetch())
        except (OSError, ValueError, httpx.HTTPError):
            return
        # An unchanged key stays the same object: verifiers compare by identity to notice that one was withdrawn.
        for kid, key in fresh.items():
            known = self._keys.get(kid)
            if known is not None and known.algorithms == key.algorithms and known.key == key.key:
                fresh[kid] = known
        self._keys, self._read_at = fresh, self._clock.now()


class FileJwks(RefreshingJwks):
    """A key set in a file, e.g. a mounted secret that is replaced at rotation."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(clock)
        self._path = path

    async def fetch(self) -> Any:
        """Read and parse the file."""
        return json.loads(await asyncio.to_thread(self._path.read_bytes))


class RemoteJwks(RefreshingJwks):
    """The key set at the issuer's ``jwks_uri``; ``transport`` replaces the network in tests."""

    def __init__(self, url: str, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__(clock)
        self._url = url
        self._transport = transport

    async def fetch(self) -> Any:
        """Get and parse the document, within five seconds and without following redirects."""
        # A client of its own for each of these rare reads: nothing to close, no connection that went stale meanwhile.
        async with httpx.AsyncClient(timeout=_TIMEOUT, transport=self._transport) as client:
            reply = await client.get(self._url, headers={"Accept": "application/json"})
        return reply.raise_for_status().json()
