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
from shared.security.keyring import Keyring
from shared.web.problems import KeyMalformed, KeyReused, Unavailable

_KEY = re.compile(r"^[\x21-\x7e]{1,128}$")

_p = sa.bindparam
_CLAIM = upsert(_kept, ["caller", "key"], None).returning(_kept.c.status)
_FIND = sa.select(_kept.c.fingerprint, _kept.c.status, _kept.c.headers, _kept.c.body).where(
    _kept.c.caller == _p("caller"), _kept.c.key == _p("key")
)
_KEEP = (
    sa.update(_kept)
    .where(_kept.c.caller == _p("by"), _kept.c.key == _p("under"))
    .values(status=_p("code"), headers=_p("sent"), body=_p("bytes"))
)
_CLAIMED = 0
"""The status of a key whose reply is not known yet; seen only inside the transaction that claimed it."""


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


def make_key(keyring: Keyring, caller: str, key: str, method: str, target: str, body: bytes) -> Key:
    """The key of a request; equal fingerprints are equal requests. ``target`` is its path and query.

    The fingerprint is keyed: a contact in a stolen table cannot be found by trying numbers.
    """
    if not _KEY.match(key):
        raise KeyMalformed(pointer="/header/idempotency-key")
    digest = hashlib.sha256(b"\n".join([method.encode(), target.encode(), body])).hexdigest()
    return Key(caller, key, keyring.keyed_hash("fingerprint", digest))


async def claim(uow: Uow, key: Key) -> Reply | None:
    """Take the key for this unit, or get the reply kept under it; another request under it is a problem.

    Where another unit holds the key, this one waits until that ends: a retry must not be refused by the state that its
    own first try has left.
    """
    claimed = await uow.one(
        _CLAIM,
        caller=key.caller,
        key=key.key,
        fingerprint=key.fingerprint,
        status=_CLAIMED,
        headers={},
        body=b"",
        created_at=uow.now,
    )
    if claimed is not None:
        return None
    row = await uow.one(_FIND, caller=key.caller, key=key.key)
    if row is None:  # housekeeping has just forgotten it
        raise Unavailable
    if row.fingerprint != key.fingerprint:
        raise KeyReused(pointer="/header/idempotency-key")
    return Reply(row.status, dict(row.headers), bytes(row.body))


async def keep(uow: Uow, key: Key, reply: Reply) -> None:
    """Keep the reply under the claimed key."""
    await uow.write(_KEEP, by=key.caller, under=key.key, code=reply.status, sent=reply.headers, bytes=reply.body)
