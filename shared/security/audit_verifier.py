"""Verification of an audit log as a stream: blocks in order, each followed by its rows; pure (审计核验)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.security.audit import (
    Block,
    Checkpoint,
    Leaf,
    block_hash,
    checkpoint_of,
    genesis,
    row_hash,
    unpack_leaves,
)

KEPT: Final = 100


class Older(NamedTuple):
    """A key that signed before: believed up to the block ``until``, as others may hold it by now."""

    key: Ed25519PublicKey
    until: int


def vouched(head: Checkpoint, keys: Sequence[Ed25519PublicKey], older: Sequence[Older]) -> bool:
    """Whether one of ``keys`` signed, or one of ``older`` that is believed so far."""
    # A forger may store anything in any field.
    earlier = [each.key for each in older if isinstance(head.block, int) and head.block <= each.until]
    return head.signed_by([*keys, *earlier])


class Finding(NamedTuple):
    """Something that is not as it was sealed. ``seq`` is the row, or the first row of a block that is wrong as a whole;
    None where the rows are gone.

    Reasons: ``row_altered row_missing row_inserted row_without_block block_altered block_missing block_signature
    chain_broken chain_forked log_truncated checkpoint_differs checkpoint_signature``.
    """

    block: Any
    seq: int | None
    reason: str


class Report(NamedTuple):
    """The outcome. ``findings`` holds the first hundred in the order of the log, ``found`` counts all of them.

    ``unsealed`` are rows that no block holds yet; ``head`` is the last block as a checkpoint; ``anchored`` the number
    of the last block that a checkpoint from outside confirmed (0: none, so a cut end would go unseen).
    """

    service: str
    rows: int
    blocks: int
    found: int
    findings: tuple[Finding, ...]
    unsealed: int
    head: Checkpoint | None
    anchored: int

    @property
    def ok(self) -> bool:
        """Whether everything is as it was sealed. A break stays visible for ever; what follows it is still verified."""
        return self.found == 0

    @property
    def first(self) -> Finding | None:
        """The first bad row, with the reason."""
        return self.findings[0] if self.findings else None


class ChainVerifier:
    """Feed ``block`` and then its ``row``s, ascending by block and row number; ``finish`` gives the report.

    ``keys`` are the public keys that sign, ``older`` those that signed up to a block. ``checkpoints`` come from outside
    the database (the topic, an export): they prove that the log's end was not cut and that the chain was not made anew.
    ``start`` is the checkpoint before the first block fed; without it the log must begin at its first block.
    """

    def __init__(
        self,
        service: str,
        keys: Sequence[Ed25519PublicKey],
        checkpoints: Iterable[Checkpoint] = (),
        start: Checkpoint | None = None,
        *,
        older: Sequence[Older] = (),
    ) -> None:
        self._service = service
        self._keys = keys
        self._older = older
        self._findings: list[Finding] = []
        self._found = self._rows = self._blocks = self._anchored = 0
        self._no, self._hash = (start.block, start.hash) if start else (0, genesis(service))
        self._total: int | None = start.rows if start else 0
        self._head = start
        self._leaves: Iterator[Leaf] = iter(())
        self._next: Leaf | None = None
        self._outside: dict[int, list[Checkpoint]] = {}
        for checkpoint in [*checkpoints, *([start] if start else [])]:
            if checkpoint.service != service or not self._signed(checkpoint):
                self._find(checkpoint.block, None, "checkpoint_signature")
            elif checkpoint is not start:
                self._outside.setdefault(checkpoint.block, []).append(checkpoint)
        if start:
            self._compare_outside(start)

    def block(self, block: Block) -> None:
        """The next block."""
        self._end_block()
        if block.no <= self._no:
            self._find(block.no, None, "chain_forked")
        elif block.no != self._no + 1:
            self._find(self._no + 1, None, "block_missing")
        elif block.prev_hash != self._hash:
            self._find(block.no, block.first_seq, "chain_broken")
        self._open(block)
        head = checkpoint_of(self._service, block)
        if not self._signed(head):
            self._find(block.no, block.first_seq, "block_signature")
        self._compare_outside(head)
        self._no, self._hash, self._head = block.no, block.hash, head
        self._blocks += 1

    def row(self, row: Any) -> None:
        """The next sealed row (``row.block`` is not None)."""
        self._rows += 1
        if row.block != self._no or self._blocks == 0:
            self._end_block()
            self._find(row.block, row.seq, "row_without_block")
            return
        while self._next is not None and self._next.seq < row.seq:
            self._find(self._no, self._next.seq, "row_missing")
            self._advance()
        if self._next is None or self._next.seq != row.seq:
            self._find(self._no, row.seq, "row_inserted")
            return
        if not _matches(row, self._next.hash):
            self._find(self._no, row.seq, "row_altered")
        self._advance()

    def finish(self, unsealed: int = 0) -> Report:
        """The end of the log; ``unsealed`` rows wait for their block."""
        self._end_block()
        if any(no > self._no for no in self._outside):
            self._find(self._no + 1, None, "log_truncated")
        return Report(
            service=self._service,
            rows=self._rows,
            blocks=self._blocks,
            found=self._found,
            findings=tuple(self._findings),
            unsealed=unsealed,
            head=self._head,
            anchored=self._anchored,
        )

    def _open(self, block: Block) -> None:
        leaves = _sound_leaves(self._service, block)
        expected = None if self._total is None else self._total + len(leaves or ())
        if leaves is None:
            self._find(block.no, block.first_seq, "block_altered")
        elif expected is not None and block.no == self._no + 1 and block.total != expected:
            self._find(block.no, block.first_seq, "chain_broken")
        # What an altered block says about the count is no measure for the blocks after it.
        self._total = None if leaves is None else block.total
        self._leaves = iter(leaves or ())
        self._advance()

    def _signed(self, head: Checkpoint) -> bool:
        return vouched(head, self._keys, self._older)

    def _compare_outside(self, head: Checkpoint) -> None:
        for outside in self._outside.pop(head.block, ()):
            if (outside.hash, outside.rows) == (head.hash, head.rows):
                self._anchored = head.block
            else:
                self._find(head.block, None, "checkpoint_differs")

    def _end_block(self) -> None:
        while self._next is not None:
            self._find(self._no, self._next.seq, "row_missing")
            self._advance()

    def _advance(self) -> None:
        self._next = next(self._leaves, None)

    def _find(self, block: int, seq: int | None, reason: str) -> None:
        self._found += 1
        if len(self._findings) < KEPT:
            self._findings.append(Finding(block, seq, reason))


def _sound_leaves(service: str, block: Block) -> list[Leaf] | None:
    """The block's list of rows if the block is what its hash says, else None. Whoever altered it may have stored values
    of any type."""
    try:
        leaves = list(unpack_leaves(block.leaves))
        numbers = [leaf.seq for leaf in leaves]
        sound = (
            block.hash == block_hash(service, block)
            and len(leaves) == block.rows
            and numbers == sorted(set(numbers))
            and (block.first_seq, block.last_seq) == (numbers[0], numbers[-1])
        )
    except (ValueError, TypeError, IndexError):
        return None
    return leaves if sound else None


def _matches(row: Any, expected: bytes) -> bool:
    try:
        return row_hash(row) == expected
    except ValueError:  # rfc8785's errors: a value, or a type, that no honest writer stores
        return False


def verify(
    rows: Iterable[Any],
    blocks: Iterable[Block],
    checkpoints: Iterable[Checkpoint],
    keys: Sequence[Ed25519PublicKey],
    *,
    service: str,
    start: Checkpoint | None = None,
) -> Report:
    """Verify sealed rows (ascending by block and number) against blocks (ascending by number), both streams."""
    verifier = ChainVerifier(service, keys, checkpoints, start)
    pending = iter(rows)
    row = next(pending, None)
    for block in blocks:
        while row is not None and isinstance(row.block, int) and row.block < block.no:
            verifier.row(row)
            row = next(pending, None)
        verifier.block(block)
    while row is not None:
        verifier.row(row)
        row = next(pending, None)
    return verifier.finish()
