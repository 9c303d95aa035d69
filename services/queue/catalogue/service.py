"""Use cases of the catalogue."""

from typing import Any

from services.queue.catalogue import queries
from services.queue.catalogue.errors import PrefixTaken, ServiceNotOffered, unknown_class
from services.queue.catalogue.schemas import ClassDefinition, ServiceDefinition
from shared.contracts.queue import ServiceChanged
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.web import feed
from shared.web.etags import check_version
from shared.web.problems import NotFound


async def define_service(uow: Uow, code: str, definition: ServiceDefinition, if_match: str | None) -> Row:
    """Publish a new version of a service; the same definition again changes nothing."""
    known = await uow.one(queries.SERVICE_LOCKED, code=code)
    if if_match is not None:
        check_version(if_match, known.version if known is not None else 0)
    if await uow.scalar(queries.PREFIX_OWNER, prefix=definition.prefix, code=code) is not None:
        raise PrefixTaken(pointer="/prefix")
    body = definition.model_dump(mode="json")
    row = {
        "code": code,
        "name_zh": definition.names.zh,
        "name_en": definition.names.en,
        "prefix": definition.prefix,
        "required_qualification": definition.required_qualification,
        "expected_minutes": definition.expected_minutes,
        "materials": body["materials"],
        "steps": body["steps"],
    }
    if known is not None and all(getattr(known, name) == value for name, value in row.items()):
        return known
    version = 1 if known is None else known.version + 1
    await uow.write(queries.SAVE_SERVICE, **row, version=version, updated_at=uow.now)
    await uow.write(
        queries.ADD_VERSION, code=code, version=version, effective_from=uow.now, body=body, published_by=uow.actor
    )
    await uow.emit(
        ServiceChanged(
            service=code,
            version=version,
            prefix=definition.prefix,
            required_qualification=definition.required_qualification,
            expected_minutes=definition.expected_minutes,
        ),
        subject=f"service:{code}",
    )
    await uow.audit("service.published", object_type="service", object_id=code, detail={"version": version})
    return await uow.one(queries.SERVICE, code=code)


async def offer(uow: Uow, unit: str, code: str, *, offered: bool) -> None:
    """Start or stop offering a service at a branch."""
    if await uow.one(queries.SERVICE, code=code) is None:
        raise NotFound(pointer="/path/code")
    await uow.write(queries.ADD_OFFER if offered else queries.DROP_OFFER, unit=unit, service=code)
    await uow.audit("service.offered", object_type="service", object_id=code, unit=unit, detail={"offered": offered})
    await feed.tell(uow, unit, "services")


async def define_class(uow: Uow, code: str, definition: ClassDefinition) -> dict[str, Any]:
    """Set a ticket class from a moment on; earlier tickets keep the head start they were issued with."""
    row = {
        "code": code,
        "effective_from": definition.effective_from or uow.now,
        "head_start_seconds": definition.head_start_seconds,
        "evidence": definition.evidence,
        "name_zh": definition.names.zh,
        "name_en": definition.names.en,
    }
    await uow.write(queries.SAVE_CLASS, **row)
    await uow.audit(
        "class.defined",
        object_type="ticket_class",
        object_id=code,
        detail={"head_start_seconds": definition.head_start_seconds},
    )
    return row


async def to_issue(reads: Reads, unit: str, code: str, class_code: str) -> Row:
    """Service, prefix and head start for a ticket; refuses a service not offered and a class not in force."""
    row = await reads.one(queries.TO_ISSUE, unit=unit, code=code, class_code=class_code, at=reads.now)
    if row is None or row.offered is None:
        raise ServiceNotOffered(pointer="/service")
    if row.head_start_seconds is None:
        raise unknown_class(class_code)
    return row


async def offered_among(reads: Reads, unit: str, codes: list[str] | None) -> dict[str, str | None]:
    """The offered services among ``codes`` (all if None) with the qualification each needs; any other is refused."""
    wanted = codes if codes is not None else [row.service for row in await reads.all(queries.OFFERED_CODES, unit=unit)]
    rows = await reads.all(queries.OFFERED_AMONG, unit=unit, codes=wanted)
    found = {row.code: row.required_qualification for row in rows}
    for index, code in enumerate(wanted):
        if code not in found:
            raise ServiceNotOffered(pointer=f"/services/{index}", service=code)
    if not found:
        raise ServiceNotOffered(pointer="/services")
    return found
