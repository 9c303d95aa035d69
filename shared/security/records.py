"""Data keys beside the records they protect: the table ``data_key`` behind ``uow.seal`` and ``uow.reveal``."""

from typing import Final

import sqlalchemy as sa

from shared.db.statements import upsert
from shared.db.tables import data_key
from shared.db.uow import Reads, Uow
from shared.security.envelope import Unreadable
from shared.security.fields import DataKey
from shared.security.keyring import Keyring, wrapped_kid

REWRAP: Final = 500

_key = data_key.c
_of_record = sa.and_(_key.record_table == sa.bindparam("of_table"), _key.record == sa.bindparam("of_record"))
_FIND = sa.select(_key.wrapped).where(_of_record)
_ADD = upsert(data_key, ["record_table", "record"], None)
_FORGET = sa.delete(data_key).where(_of_record)
_OUTDATED = (
    sa.select(data_key)
    .where(_key.kid != sa.bindparam("active"))
    .order_by(_key.record_table, _key.record)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_REWRAP = (
    sa.update(data_key)
    .where(_of_record, _key.wrapped == sa.bindparam("old"))
    .values(wrapped=sa.bindparam("new"), kid=sa.bindparam("new_kid"))
)


class RecordKeys:
    """Seals and opens personal fields of records; a record's key is made with its first field."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def seal(self, uow: Uow, table: str, row: str, column: str, value: str) -> str:
        """The ciphertext of ``value`` for that place."""
        key = await self._find(uow, table, row) or await self._make(uow, table, row)
        return key.seal(column, value)

    async def open(self, reads: Reads, table: str, row: str, column: str, sealed: str) -> str:
        """The value in ``sealed``. Raises :class:`Unreadable`, with ``destroyed`` if the record's key was deleted."""
        key = await self._find(reads, table, row)
        if key is None:
            raise Unreadable("destroyed")
        return key.reveal(column, sealed)

    async def forget(self, uow: Uow, table: str, row: str) -> bool:
        """Destroy a record's personal data by deleting its key (销毁); whether there was one. The act is audited."""
        gone = await uow.execute(_FORGET, of_table=table, of_record=row) > 0
        if gone:
            await uow.audit("destroy", object_type=table, object_id=row)
        return gone

    async def rewrap(self, uow: Uow, limit: int = REWRAP) -> int:
        """After a rotation: wrap up to ``limit`` data keys under the active key; returns how many, 0 when done."""
        active = self._keyring.active_kid()
        rows = await uow.all(_OUTDATED, active=active, limit=limit)
        changes = [
            {
                "of_table": row.record_table,
                "of_record": row.record,
                "old": row.wrapped,
                "new": self._keyring.rewrap(row.wrapped, row.record_table, row.record),
                "new_kid": active,
            }
            for row in rows
        ]
        if changes:
            await uow.many(_REWRAP, changes)
        return len(changes)

    def link_token(self, purpose: str, identifier: str) -> str:
        """The token of a link to an object (see :meth:`Keyring.link_token`)."""
        return self._keyring.link_token(purpose, identifier)

    def token_hash(self, token: str) -> str:
        """The hash under which a link token is stored."""
        return self._keyring.token_hash(token)

    def keyed_hash(self, purpose: str, value: str) -> str:
        """A pseudonym of a personal value: equal values give equal hashes for one purpose."""
        return self._keyring.keyed_hash(purpose, value)

    async def _find(self, reads: Reads, table: str, row: str) -> DataKey | None:
        wrapped = await reads.scalar(_FIND, of_table=table, of_record=row)
        return None if wrapped is None else self._keyring.open_data_key(wrapped, table, row)

    async def _make(self, uow: Uow, table: str, row: str) -> DataKey:
        wrapped, key = self._keyring.new_data_key(table, row)
        added = await uow.execute(
            _ADD, record_table=table, record=row, kid=wrapped_kid(wrapped), wrapped=wrapped, created_at=uow.now
        )
        if added:
            return key
        # Another transaction made the record's key in between: that one counts.
        return await self._find(uow, table, row) or await self._make(uow, table, row)
