"""Routes of the catalogue."""

from typing import Any

from services.queue.auth import OfferServices, ReadCatalogue, WriteCatalogue
from services.queue.catalogue import queries, service
from services.queue.catalogue.schemas import (
    ClassDefinition,
    ClassView,
    Names,
    Offer,
    OfferView,
    ServiceDefinition,
    ServiceView,
)
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.web.etags import IfMatch, etag
from shared.web.fields import PathId, UnitId
from shared.web.paging import Page, Paging, page
from shared.web.routing import ServiceRouter

router = ServiceRouter("queue", "catalogue")


def _view(row: Any) -> ServiceView:
    return ServiceView.model_validate(
        {
            "code": row.code,
            "version": row.version,
            "names": {"zh": row.name_zh, "en": row.name_en},
            "prefix": row.prefix,
            "required_qualification": row.required_qualification,
            "expected_minutes": row.expected_minutes,
            "materials": row.materials,
            "steps": row.steps,
        }
    )


@router.put("/services/{code}")
async def define_service(
    uow: Uow, actor: WriteCatalogue, code: PathId, command: ServiceDefinition, if_match: IfMatch = None
) -> ServiceView:
    """Publish a version of a service of the catalogue (业务目录发布)."""
    row = await service.define_service(uow, code, command, if_match)
    uow.headers["ETag"] = etag(row.version)
    return _view(row)


@router.get("/branches/{unit}/services")
async def list_services(reads: Reads, actor: ReadCatalogue, unit: UnitId, paging: Paging) -> Page[ServiceView]:
    """The services a branch offers, with materials and steps."""
    await replica.branch(reads, actor, unit)
    rows = await reads.all(queries.OFFERED, unit=unit, after=paging.after, most=paging.fetch)
    return Page[ServiceView](**page(paging, rows, lambda row: row.code, _view))


@router.put("/branches/{unit}/services/{code}")
async def offer_service(uow: Uow, actor: OfferServices, unit: UnitId, code: PathId, command: Offer) -> OfferView:
    """Start or stop offering a service at a branch."""
    await replica.branch(uow, actor, unit)
    await service.offer(uow, unit, code, offered=command.offered)
    return OfferView(unit=unit, service=code, offered=command.offered)


@router.put("/classes/{code}")
async def define_class(uow: Uow, actor: WriteCatalogue, code: PathId, command: ClassDefinition) -> ClassView:
    """Define a ticket class from a moment on (号票类别)."""
    row = await service.define_class(uow, code, command)
    return ClassView(
        code=code,
        names=command.names,
        head_start_seconds=row["head_start_seconds"],
        evidence=row["evidence"],
        effective_from=row["effective_from"],
    )


@router.get("/classes")
async def list_classes(reads: Reads, actor: ReadCatalogue) -> Page[ClassView]:
    """The ticket classes in force."""
    rows = await reads.all(queries.CLASSES, at=reads.now)
    return Page[ClassView](
        items=[
            ClassView(
                code=row.code,
                names=Names(zh=row.name_zh, en=row.name_en),
                head_start_seconds=row.head_start_seconds,
                evidence=row.evidence,
                effective_from=row.effective_from,
            )
            for row in rows
        ]
    )
