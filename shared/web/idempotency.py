"""Replies remembered under the caller's ``Idempotency-Key``, in the transaction of their effect.

Only committed effects are remembered: an error rolls the key back with everything else.
"""

import hashlib
import re
from dataclasses import dataclass

import sqlalchemy as sa

from shared.db.statements import upsert
from shared.db.tables import idempotency as _kept
from shared.db.uow import Uow
from shared.web.problems import KeyMalformed, KeyReused

_KEY = re.compile(r"^[\x21-\x7e]{1,128}$")

_p = sa.bindparam
_FIND = sa.select(_kept.c.fingerprint, _kept.c.status, _kept.c.headers, _kept.c.body).where(
    _kept.c.caller == _p("caller"), _kept.c.key == _p("key")
)
_KEEP = upsert(_kept, ["caller", "key"], None).returning(_kept.c.status)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent: the same bytes at every retry."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key of one caller for one request."""

    caller: str
    key: str
    fingerprint: str


class Raced(Exception):
    """Another transaction stored this key while we worked: roll back and take its reply."""


def make_key(caller: str, key: str, method: str, path: str, body: bytes) -> Key:
    """The key of a request; equal fingerprints are equal requests."""
    if not _KEY.match(key):
        raise KeyMalformed(pointer="/header/idempotency-key")
    digest = hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()
    return Key(caller, key, digest)


async def recall(uow: Uow, key: Key) -> Reply | None:
    """The reply kept under ``key``, or None; another request under it is a problem."""
    row = await uow.one(_FIND, caller=key.caller, key=key.key)
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise KeyReused(pointer="/header/idempotency-key")
    return Reply(row.status, dict(row.headers), bytes(row.body))


async def keep(uow: Uow, key: Key, reply: Reply) -> None:
    """Keep the reply; waits for a concurrent unit with the same key and raises :class:`Raced` if that one commits."""
    kept = await uow.one(
        _KEEP,
        caller=key.caller,
        key=key.key,
        fingerprint=key.fingerprint,
        status=reply.status,
        headers=reply.headers,
        body=reply.body,
        created_at=uow.now,
    )
    if kept is None:
        raise Raced
