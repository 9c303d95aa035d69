"""The shape of the tamper-evident audit log: what is hashed, chained and signed; pure (审计日志).

A row is hashed over all its stored fields. A block lists its rows, each by number and hash (its *leaves*), and is
chained to the block before it; its hash is signed as a checkpoint and published, so that whoever keeps a checkpoint can
prove what the log held. Rows that commit late, after higher numbers were sealed, simply go into a later block: a block
says which rows it holds, not "everything up to".
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.security.envelope import Unreadable, decode, encode
from shared.security.signing import Signer

SCHEMA: Final = 1
ROW_FIELDS: Final = (
    "seq",
    "id",
    "at",
    "actor",
    "action",
    "object_type",
    "object_id",
    "unit",
    "purpose",
    "detail",
    "trace_id",
)
_SEQ_BYTES: Final = 8
_LEAF_BYTES: Final = _SEQ_BYTES + 32


@dataclass(frozen=True, slots=True)
class Block:
    """A block as ``audit_block`` stores it; a row of that table serves in its place.

    ``no`` counts from 1; ``first_seq`` and ``last_seq`` bound the ``rows`` it lists in ``leaves`` (other blocks may
    hold numbers in between); ``total`` counts the rows of this and all earlier blocks.
    """

    no: int
    prev_hash: str
    first_seq: int
    last_seq: int
    rows: int
    total: int
    leaves: bytes
    sealed_at: str
    hash: str = ""
    key: str = ""
    signature: str = ""


class Leaf(NamedTuple):
    """One row as its block lists it."""

    seq: int
    hash: bytes


class Checkpoint(NamedTuple):
    """The signed head of a service's log: after block ``block`` it held ``rows`` sealed rows and ended in ``hash``."""

    service: str
    block: int
    rows: int
    hash: str
    signed_at: str
    key: str
    signature: str

    def message(self) -> bytes:
        """The bytes that are signed."""
        unsigned = {name: value for name, value in self._asdict().items() if name != "signature"}
        return _canonical("checkpoint", unsigned)

    def signed_by(self, keys: Iterable[Ed25519PublicKey]) -> bool:
        """Whether one of ``keys`` made the signature."""
        try:
            signature, message = decode(self.signature), self.message()
        except (Unreadable, ValueError, TypeError):  # a forger may store anything in any field
            return False
        return any(_verifies(key, signature, message) for key in keys)


def stamp(at: datetime) -> str:
    """An instant as the log stores and hashes it: RFC 3339, UTC, always six digits, so that no database can round it,
    and texts sort as times do. Raises ValueError for a time without zone."""
    if at.tzinfo is None:
        raise ValueError("an audit row needs an aware time")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def row_hash(row: Any) -> bytes:
    """The hash of a row as stored: SHA-256 over the RFC 8785 form of all its fields and the schema's version.

    ``row`` has :data:`ROW_FIELDS` as attributes. Raises ValueError for a value that the log cannot have written.
    """
    return hashlib.sha256(_canonical("row", {name: getattr(row, name) for name in ROW_FIELDS})).digest()


def genesis(service: str) -> str:
    """What the first block of a service's log names as its predecessor."""
    return hashlib.sha256(_canonical("genesis", {"service": service})).hexdigest()


def pack_leaves(leaves: Iterable[Leaf]) -> bytes:
    """The leaves of a block as stored: eight bytes of number and the hash, one after another."""
    return b"".join(leaf.seq.to_bytes(_SEQ_BYTES, "big") + leaf.hash for leaf in leaves)


def unpack_leaves(packed: bytes) -> Iterator[Leaf]:
    """The inverse of :func:`pack_leaves`. Raises ValueError for a broken length."""
    if len(packed) % _LEAF_BYTES:
        raise ValueError("the list of rows is cut")
    for start in range(0, len(packed), _LEAF_BYTES):
        middle = start + _SEQ_BYTES
        yield Leaf(int.from_bytes(packed[start:middle], "big"), packed[middle : start + _LEAF_BYTES])


def block_hash(service: str, block: Block) -> str:
    """The hash of a block: over its place in the chain, its counts and its leaves; hexadecimal."""
    header = {
        "service": service,
        "no": block.no,
        "prev_hash": block.prev_hash,
        "first_seq": block.first_seq,
        "last_seq": block.last_seq,
        "rows": block.rows,
        "total": block.total,
        "leaves": hashlib.sha256(block.leaves).hexdigest(),
        "sealed_at": block.sealed_at,
    }
    return hashlib.sha256(_canonical("block", header)).hexdigest()


def checkpoint_of(service: str, block: Block) -> Checkpoint:
    """The checkpoint that a stored block was published as."""
    return Checkpoint(service, block.no, block.total, block.hash, block.sealed_at, block.key, block.signature)


def sign(unsigned: Checkpoint, signer: Signer) -> Checkpoint:
    """The checkpoint with the signer's key id and signature."""
    named = unsigned._replace(key=signer.key_id)
    return named._replace(signature=encode(signer.sign(named.message())))


def _canonical(kind: str, fields: dict[str, Any]) -> bytes:
    # The kind keeps a row from ever hashing like a block or a checkpoint.
    return rfc8785.dumps({"schema": f"wangdian.audit.{kind}.v{SCHEMA}", **fields})


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
