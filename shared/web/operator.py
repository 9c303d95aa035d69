"""What operations does by HTTP: parked and dead events, retry, discard, replay, resync, the audit log's proof."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from shared.bus.base import Position, TopicPartition
from shared.db.uow import Reads, Uow
from shared.events import parking, positions
from shared.events.checkpoints import published
from shared.observability.condition import Condition, condition
from shared.runtime import ServiceRuntime
from shared.security.keyring import Keyring
from shared.security.principal import Principal
from shared.security.scopes import scope
from shared.security.verify_audit import verify_audit
from shared.web.fields import CodeField, Command, PathId
from shared.web.paging import Page, Paging, page
from shared.web.problems import NotFound
from shared.web.routing import PROBLEMS

Operate = Annotated[Principal, scope("operator:events:write", "operator")]
Watch = Annotated[Principal, scope("operator:events:read", "operator", "auditor")]

router = APIRouter(
    prefix="/operator/v1",
    tags=["operator"],
    responses=PROBLEMS,
    generate_unique_id_function=lambda route: f"operator_{route.name}",
)


class Letter(BaseModel):
    """An event that waits for a retry or a person; its content is not shown."""

    id: str
    state: str = Field(examples=["parked"])
    type: str
    subject: str
    topic: str
    partition: int
    offset: int
    event_id: str
    error: str
    attempts: int
    first_seen: AwareDatetime
    next_try: AwareDatetime | None


class LetterState(BaseModel):
    """What was decided."""

    id: str
    state: str = Field(examples=["parked"])


class Discard(Command):
    """Why the event is given up: a code, for the record."""

    reason: CodeField = Field(examples=["duplicate_of_fixed_data"])


class Rewind(Command):
    """Read a topic again from an offset (0: from its beginning)."""

    topic: CodeField = Field(examples=["queue.events"])
    offset: int = Field(default=0, ge=0, le=2**53)


class Flow(BaseModel):
    """How a service's events flow."""

    service: str = Field(examples=["queue"])
    outbox_waiting: int
    outbox_oldest: AwareDatetime | None
    lag: int
    parked_subjects: int
    dead: int
    stopped: str | None
    failing: dict[str, str]


def runtime_of(request: Request, service: str) -> ServiceRuntime:
    """The service's runtime in this process, or 404."""
    found = request.app.state.services.get(service)
    if found is None:
        raise NotFound(pointer="/path/service")
    return found


@router.get("/{service}/flow")
async def show_flow(request: Request, actor: Watch, service: PathId) -> Flow:
    """Outbox, lag and parked subjects of a service."""
    runtime = runtime_of(request, service)

    async def ask(reads: Reads) -> tuple[int, tuple[int, int]]:
        return await positions.lag(reads), await parking.depth(reads)

    lag, (parked, dead) = await runtime.db.read(ask)
    backlog = await runtime.relay.backlog()
    return Flow(
        service=service,
        outbox_waiting=backlog.waiting,
        outbox_oldest=backlog.oldest,
        lag=lag,
        parked_subjects=parked,
        dead=dead,
        stopped=str(runtime.stopped) if runtime.stopped is not None else None,
        failing=runtime.failing,
    )


@router.get("/{service}/condition")
async def show_condition(request: Request, actor: Watch, service: PathId) -> Condition:
    """Migrations, clocks, disk and keys of a service."""
    return await condition(runtime_of(request, service))


@router.get("/{service}/letters")
async def list_letters(request: Request, actor: Watch, service: PathId, paging: Paging) -> Page[Letter]:
    """Parked and dead events, oldest first."""
    rows = await runtime_of(request, service).db.read(lambda r: parking.listing(r, paging.after, paging.fetch))
    return Page[Letter](**page(paging, rows, lambda row: row.id, lambda row: Letter(**row._asdict())))


@router.post("/{service}/letters/{letter}/retry")
async def retry_letter(request: Request, actor: Operate, service: PathId, letter: PathId) -> LetterState:
    """Try the event's subject again now."""
    runtime = runtime_of(request, service)
    if await runtime.db.write(lambda uow: parking.ask_again(uow, letter), actor=actor.sub) is None:
        raise NotFound(pointer="/path/letter")
    return LetterState(id=letter, state="parked")


@router.post("/{service}/letters/{letter}/discard")
async def discard_letter(
    request: Request, actor: Operate, service: PathId, letter: PathId, command: Discard
) -> LetterState:
    """Give the event up; what waits behind it goes on."""
    runtime = runtime_of(request, service)
    if await runtime.db.write(lambda uow: parking.give_up(uow, letter, command.reason), actor=actor.sub) is None:
        raise NotFound(pointer="/path/letter")
    return LetterState(id=letter, state="discarded")


@router.post("/{service}/rewind")
async def rewind(request: Request, actor: Operate, service: PathId, command: Rewind) -> Flow:
    """Replay: projections see the events again and stay as they are; reactions were done once and stay done."""
    runtime = runtime_of(request, service)
    await _set_offsets(runtime, actor.sub, command.topic, command.offset, keep_log=True)
    return await show_flow(request, actor, service)


@router.post("/{service}/resync")
async def resync(request: Request, actor: Operate, service: PathId, command: Rewind) -> Flow:
    """After a lost or recreated log: accept the new log from ``offset`` on. A recorded decision."""
    runtime = runtime_of(request, service)
    await _set_offsets(runtime, actor.sub, command.topic, command.offset, keep_log=False)
    return await show_flow(request, actor, service)


class Rotation(BaseModel):
    """A new key-encryption key, and how many records' keys were wrapped anew under it."""

    kid: str
    rewrapped: int = Field(examples=[47])


@router.post("/keys/rotate")
async def rotate_keys(request: Request, actor: Operate) -> Rotation:
    """Make a new key-encryption key and wrap every record's data key under it (密钥轮换); ciphertexts stay."""
    keyring: Keyring = request.app.state.keyring
    kid = await asyncio.to_thread(keyring.rotate)
    done = 0
    for runtime in request.app.state.services.values():
        records = runtime.db.context.records
        while changed := await runtime.db.write(records.rewrap, actor=actor.sub):
            done += changed

        async def tell(uow: Uow) -> None:
            await uow.audit("keys.rotated", object_type="key", object_id=kid)

        await runtime.db.write(tell, actor=actor.sub)
    return Rotation(kid=kid, rewrapped=done)


class AuditFinding(BaseModel):
    """Something in the audit log that is not as it was sealed."""

    block: int | None
    row: int | None
    reason: str


class AuditReport(BaseModel):
    """What the verification of a service's audit log found."""

    service: str = Field(examples=["queue"])
    ok: bool
    rows: int
    blocks: int
    unsealed: int
    anchored: int
    findings: list[AuditFinding]


@router.get("/{service}/audit/verify")
async def verify_audit_log(request: Request, actor: Watch, service: PathId) -> AuditReport:
    """Verify the audit log against its own chain and against the checkpoints on the bus (审计核验)."""
    return await verified(runtime_of(request, service))


async def verified(runtime: ServiceRuntime) -> AuditReport:
    """The report of one service."""
    checkpoints = await published(runtime.bus, runtime.name)
    keys = runtime.sealer.keys
    report = await runtime.db.read(
        lambda reads: verify_audit(
            reads, service=runtime.name, keys=keys.keys, older=keys.older, checkpoints=checkpoints
        )
    )
    return AuditReport(
        service=runtime.name,
        ok=report.ok,
        rows=report.rows,
        blocks=report.blocks,
        unsealed=report.unsealed,
        anchored=report.anchored,
        findings=[AuditFinding(block=f.block, row=f.seq, reason=f.reason) for f in report.findings],
    )


async def _set_offsets(runtime: ServiceRuntime, actor: str, topic: str, offset: int, *, keep_log: bool) -> None:
    async def decide(uow: Uow) -> None:
        stored = await positions.of_topic(uow, topic)
        if not stored:
            raise NotFound(pointer="/topic")
        for source, position in stored.items():
            log = position.log if keep_log else ""
            await positions.decide(
                uow, TopicPartition(*source), Position(min(offset, position.next) if keep_log else offset, log)
            )

    await runtime.db.write(decide, actor=actor)
    if runtime.consumer is not None:
        runtime.consumer.rejoin()
