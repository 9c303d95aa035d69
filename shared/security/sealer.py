"""The sealer: chains committed audit rows into signed blocks, one turn after another (审计封存)."""

from dataclasses import fields, replace
from typing import Any, Final

from shared.db.uow import Uow
from shared.security.audit import (
    Block,
    Checkpoint,
    Leaf,
    block_hash,
    checkpoint_of,
    genesis,
    pack_leaves,
    row_hash,
    sign,
    stamp,
)
from shared.security.audit_queries import ADD_BLOCK, HIGHEST_SEALED, LAST_BLOCK, MARK_SEALED, UNSEALED
from shared.security.signing import Signer

TURN: Final = 1000
_COLUMNS: Final = tuple(column.name for column in fields(Block))


class ChainBroken(Exception):
    """The stored chain does not continue what was sealed before. Sealing stops until somebody has looked: a chain that
    silently began anew would hide what was cut (日志链中断)."""


async def seal(
    uow: Uow, *, service: str, signer: Signer, head: Checkpoint | None = None, limit: int = TURN
) -> Checkpoint | None:
    """One turn: at most ``limit`` committed rows without a block become the next block.

    Returns the checkpoint to publish, None if no row waits. ``head`` is the last checkpoint known from outside this
    database (the previous turn's result, or the topic's newest at start). Raises :class:`ChainBroken` if the database
    lost it. Of two sealers at work together one fails on the block's key and rolls back, so the chain cannot fork.
    """
    last = await uow.one(LAST_BLOCK)
    highest = await uow.scalar(HIGHEST_SEALED) or 0
    _continue_from(last, highest, head)
    waiting = await uow.all(UNSEALED, limit=limit)
    if not waiting:
        return None
    block = _block(waiting, last, service, stamp(uow.now))
    block = replace(block, hash=block_hash(service, block))
    checkpoint = sign(checkpoint_of(service, block), signer)
    block = replace(block, key=checkpoint.key, signature=checkpoint.signature)
    await uow.execute(ADD_BLOCK, **{name: getattr(block, name) for name in _COLUMNS})
    await uow.many(MARK_SEALED, [{"row_seq": row.seq, "block_no": block.no} for row in waiting])
    return checkpoint


def _continue_from(last: Any, highest: Any, head: Checkpoint | None) -> None:
    no = 0 if last is None else last.no
    if not isinstance(highest, int) or highest > no:
        raise ChainBroken(f"rows were sealed into block {highest}, but the last block is {no}")
    if head is not None and no < head.block:
        raise ChainBroken(f"block {head.block} was published, but the last block is {no}")
    if head is not None and no == head.block and last.hash != head.hash:
        raise ChainBroken(f"block {head.block} is not the one that was published")


def _block(waiting: list[Any], last: Any, service: str, sealed_at: str) -> Block:
    leaves = [Leaf(row.seq, row_hash(row)) for row in waiting]
    return Block(
        no=1 if last is None else last.no + 1,
        prev_hash=genesis(service) if last is None else last.hash,
        first_seq=leaves[0].seq,
        last_seq=leaves[-1].seq,
        rows=len(leaves),
        total=len(leaves) + (0 if last is None else last.total),
        leaves=pack_leaves(leaves),
        sealed_at=sealed_at,
    )
