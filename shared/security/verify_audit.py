"""Reads a service's audit log page by page through the verifier: what ``wangdian audit verify`` runs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.db.uow import Reads
from shared.security.audit import Checkpoint
from shared.security.audit_queries import BLOCKS, COUNT_UNSEALED, LAST_BLOCK, ORPHANS, SEALED
from shared.security.audit_verifier import KEPT, ChainVerifier, Older, Report

PAGE: Final = 1000
_BLOCK_PAGE: Final = 100  # a full block carries 40 kB of leaves


async def verify_audit(
    reads: Reads,
    *,
    service: str,
    keys: Sequence[Ed25519PublicKey],
    checkpoints: Iterable[Checkpoint] = (),
    start: Checkpoint | None = None,
    older: Sequence[Older] = (),
    page: int = PAGE,
) -> Report:
    """Verify the log from ``start`` (None: its beginning) to the block that is the last one now.

    ``checkpoints`` must come from outside this database and be collected before this read begins, so that each speaks
    of a block that should be here. Memory stays bounded by one page; blocks sealed while this runs are left to the next
    run and never reported as faults.
    """
    after = start.block if start else 0
    last = await reads.one(LAST_BLOCK)
    until = after if last is None else max(after, last.no)
    verifier = ChainVerifier(service, keys, checkpoints, start, older=older)
    rows = _Sealed(reads, after, until, page)
    while blocks := await reads.all(BLOCKS, after=after, until=until, limit=_BLOCK_PAGE):
        for block in blocks:
            await rows.feed(verifier, below=block.no)
            verifier.block(block)
        after = blocks[-1].no
    await rows.feed(verifier, below=until + 1)
    for orphan in await reads.all(ORPHANS, until=until, limit=KEPT):
        verifier.row(orphan)
    return verifier.finish(unsealed=await reads.scalar(COUNT_UNSEALED))


class _Sealed:
    """The sealed rows in the order of their blocks, one page in memory."""

    def __init__(self, reads: Reads, after: int, until: int, page: int) -> None:
        self._reads = reads
        self._place = (after, _END)
        self._until = until
        self._page = page
        self._rows: list[Any] = []
        self._index = 0

    async def feed(self, verifier: ChainVerifier, *, below: int) -> None:
        """Hand over the rows of all blocks under ``below``."""
        while True:
            if self._index == len(self._rows) and not await self._turn():
                return
            row = self._rows[self._index]
            if row.block >= below:
                return
            verifier.row(row)
            self._index += 1

    async def _turn(self) -> bool:
        block, seq = self._place
        self._rows = await self._reads.all(SEALED, after=block, after_seq=seq, until=self._until, limit=self._page)
        self._index = 0
        if self._rows:
            self._place = (self._rows[-1].block, self._rows[-1].seq)
        return bool(self._rows)


_END: Final = 2**63 - 1
