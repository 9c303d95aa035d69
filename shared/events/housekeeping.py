"""What the kit's tables may forget: published events, old replies, handled letters, inbox rows past any replay,
what live screens were told."""

from datetime import timedelta

import sqlalchemy as sa

from shared.db.database import Database
from shared.db.tables import dead_letter, idempotency, inbox, live_feed, outbox
from shared.db.uow import Uow
from shared.settings import Settings

CHUNK = 2000
LIVE_KEEP = timedelta(hours=1)

_p = sa.bindparam


def _chunk(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Delete:
    key = sa.tuple_(*table.primary_key.columns)
    rows = sa.select(*table.primary_key.columns).where(condition).limit(CHUNK)
    return sa.delete(table).where(key.in_(rows))


_OUTBOX = _chunk(outbox, outbox.c.published_at < _p("before"))
_LETTERS = _chunk(dead_letter, sa.and_(dead_letter.c.state == "done", dead_letter.c.first_seen < _p("before")))
_REPLIES = _chunk(idempotency, idempotency.c.created_at < _p("before"))
_INBOX = _chunk(inbox, inbox.c.handled_at < _p("before"))
_LIVE = _chunk(live_feed, live_feed.c.at < _p("before"))


class Housekeeping:
    """Deletes in chunks, so that no transaction is long."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def turn(self) -> int:
        """One round; returns how many rows went."""

        async def tidy(uow: Uow) -> int:
            keep = self._settings
            gone = await uow.execute(_OUTBOX, before=uow.now - timedelta(hours=keep.outbox_keep_hours))
            gone += await uow.execute(_LETTERS, before=uow.now - timedelta(days=keep.inbox_keep_days))
            gone += await uow.execute(_LIVE, before=uow.now - LIVE_KEEP)
            gone += await uow.execute(_REPLIES, before=uow.now - timedelta(hours=keep.idempotency_hours))
            return gone + await uow.execute(_INBOX, before=uow.now - timedelta(days=keep.inbox_keep_days))

        return await self._db.write(tidy, actor="housekeeping")
