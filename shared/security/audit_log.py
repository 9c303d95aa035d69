"""The audit log at work: rows written in the business transaction, blocks sealed behind it (审计日志)."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from shared.contracts.audit import AuditCheckpoint
from shared.db.database import Database
from shared.db.errors import UniqueConflict
from shared.db.uow import Uow
from shared.events.crash import crash
from shared.ids import uuid7
from shared.observability.tracing import trace_id
from shared.security.audit import Checkpoint, stamp
from shared.security.audit_keys import AuditKeys
from shared.security.audit_queries import ADD_ROW
from shared.security.sealer import TURN, seal


async def record(
    uow: Uow,
    *,
    action: str,
    object_type: str,
    object_id: str,
    unit: str | None,
    purpose: str | None,
    detail: Mapping[str, str | int | bool | None],
) -> None:
    """Add a row in this transaction, unchained: chaining here would serialise all writers.

    Codes and references only, never a name or free text; ``purpose`` is a code as well.
    """
    await uow.write(
        ADD_ROW,
        id=uuid7(),
        at=stamp(uow.now),
        actor=uow.actor,
        action=action,
        object_type=object_type,
        object_id=object_id,
        unit=unit,
        purpose=purpose,
        detail=json.dumps(dict(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        trace_id=trace_id(),
    )


class Sealer:
    """The loop of one service that seals its rows and tells each checkpoint, in the transaction that seals.

    ``head`` is the newest checkpoint known from outside the database, if there is one at start (``witness`` is asked
    for the published ones at the first turn); afterwards the sealer
    remembers its own, so that a database which lost its end is noticed at the next turn.
    """

    def __init__(
        self,
        db: Database,
        keys: AuditKeys,
        head: Checkpoint | None = None,
        witness: Callable[[], Awaitable[Sequence[Checkpoint]]] | None = None,
    ) -> None:
        self.keys = keys
        self._db = db
        self.head = head
        self._witness = witness
        self._asked = False

    async def turn(self) -> int:
        """Seal what waits, at most a thousand rows; returns how many blocks were made (0 or 1).

        Raises :class:`shared.security.sealer.ChainBroken`.
        """
        if not self._asked and self._witness is not None:
            # A database that lost its end while nobody ran is noticed at the first turn, not only by verification.
            # What the service did not sign is no witness: others may write the topic too.
            known = [told for told in await self._witness() if self.keys.believes(told)]
            self.head, self._asked = (known[-1] if known else None), True
        try:
            sealed = await self._db.write(self._seal, actor="audit.sealer")
        except UniqueConflict:  # another replica sealed the same rows first
            return 0
        self.head = sealed or self.head
        return 0 if sealed is None else 1

    async def _seal(self, uow: Uow) -> Checkpoint | None:
        sealed = await seal(uow, service=self.keys.service, signer=self.keys.signer, head=self.head, limit=TURN)
        if sealed is not None:
            await uow.emit(event_of(sealed), subject=sealed.service)
            crash("seal:before-commit")
        return sealed


def event_of(checkpoint: Checkpoint) -> AuditCheckpoint:
    """The event that publishes a checkpoint."""
    return AuditCheckpoint(
        **{**checkpoint._asdict(), "signed_at": datetime.fromisoformat(checkpoint.signed_at)},
    )


def checkpoint_from(event: AuditCheckpoint) -> Checkpoint:
    """The checkpoint in a published event, exactly as it was signed."""
    return Checkpoint(**{**event.model_dump(), "signed_at": stamp(event.signed_at)})
