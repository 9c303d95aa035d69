"""What live screens are told (实时更新): a numbered row in the transaction that changes the state.

``tell`` comes last in a use case: it locks the topic's head, and nobody who holds that waits for anything else.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from shared.db.statements import Row, upsert
from shared.db.tables import live_feed, live_head
from shared.db.types import any_of
from shared.db.uow import Reads, Uow

_h, _f, _p = live_head.c, live_feed.c, sa.bindparam

_HEAD: Final = upsert(live_head, ["topic"], {"seq": _h.seq + 1})
_ADD: Final = sa.insert(live_feed).from_select(
    ["topic", "seq", "at", "kind", "data"],
    sa.select(
        _h.topic, _h.seq, _p("at", type_=_f.at.type), _p("kind", type_=sa.Text), _p("data", type_=_f.data.type)
    ).where(_h.topic == _p("of")),
)
_HEADS: Final = sa.select(_h.topic, _h.seq).where(any_of(_h.topic, "topics"))
_SINCE: Final = (
    sa.select(_f.topic, _f.seq, _f.at, _f.kind, _f.data)
    .join(live_head, _h.topic == _f.topic)
    .where(any_of(_f.topic, "topics"), _f.seq > _h.seq - _p("behind", type_=sa.BigInteger))
    .order_by(_f.topic, _f.seq)
)


async def tell(uow: Uow, topic: str, kind: str, **data: Any) -> None:
    """Tell who watches ``topic`` that something changed; ``data`` only where a screen must know it without asking.

    INVARIANT: a topic's numbers have no gaps and rise in the order of the commits, as taking one locks the head
    (tests/kit/web/test_live.py::test_numbers_have_no_gaps_whoever_writes).
    """
    await uow.write(_HEAD, topic=topic, seq=1)
    await uow.write(_ADD, of=topic, at=uow.now, kind=kind, data=data)


async def heads(reads: Reads, topics: Sequence[str]) -> dict[str, int]:
    """The newest number of each topic; one that never changed is left out."""
    return {row.topic: row.seq for row in await reads.all(_HEADS, topics=topics)}


async def head(reads: Reads, topic: str) -> int:
    """The newest number of ``topic``: what a page that is being shown knows."""
    return (await heads(reads, [topic])).get(topic, 0)


async def since(reads: Reads, topics: Sequence[str], behind: int) -> list[Row]:
    """The newest ``behind`` changes of each topic, as far as they are kept, oldest first."""
    return await reads.all(_SINCE, topics=topics, behind=behind)
