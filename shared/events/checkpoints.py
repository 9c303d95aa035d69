"""The audit checkpoints that are on the bus: the witness outside the database that an audit log is checked against."""

from collections.abc import Mapping, Sequence

from shared.bus.base import Bus, Position, TopicPartition
from shared.contracts.audit import AuditCheckpoint
from shared.events.envelope import Unreadable, decode
from shared.ids import uuid7
from shared.security.audit import Checkpoint
from shared.security.audit_log import checkpoint_from

PAGE = 1000


async def published(bus: Bus, service: str) -> list[Checkpoint]:
    """Every checkpoint of ``service`` on the bus now, in the order of the log."""

    async def beginning(sources: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {}

    found: list[Checkpoint] = []
    subscription = await bus.subscribe(f"{service}.audit-{uuid7()}", [AuditCheckpoint.topic], beginning)
    try:
        while batches := await subscription.fetch(limit=PAGE, wait=0):
            for batch in batches:
                for record in batch.records:
                    if record.headers.get("ce_subject") != service:
                        continue
                    try:
                        event = decode(record.headers, record.value, AuditCheckpoint)
                    except Unreadable:
                        continue
                    found.append(checkpoint_from(event.data))  # type: ignore[arg-type]
    finally:
        await subscription.close()
    return found
