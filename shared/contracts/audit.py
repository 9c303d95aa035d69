"""The signed checkpoints of each service's audit log (审计检查点)."""

from typing import ClassVar

from shared.contracts.base import Code, EventData, Ref, Time


class AuditCheckpoint(EventData):
    """The head of a service's audit chain at a moment, signed: whoever keeps it can prove a later change."""

    event_type: ClassVar[str] = "audit.checkpoint.v1"
    topic: ClassVar[str] = "audit.checkpoints"

    service: Code
    block: int
    rows: int
    hash: Ref
    signed_at: Time
    key: Ref
    signature: Ref
