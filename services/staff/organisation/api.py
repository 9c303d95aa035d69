"""Routes of the organisation."""

from typing import Annotated

from fastapi import Query

from services.staff.auth import ReadUnits, WriteUnits
from services.staff.organisation import queries, service
from services.staff.organisation.schemas import NewUnit, Unit, UnitChange
from shared.contracts.staff import UnitKind
from shared.db.uow import Reads, Uow
from shared.web.etags import IfMatch, etag
from shared.web.fields import QueryUnit, UnitId
from shared.web.paging import Page, Paging, page
from shared.web.routing import ServiceRouter

router = ServiceRouter("staff", "organisation")


@router.get("/units")
async def list_units(
    reads: Reads,
    caller: ReadUnits,
    asked: Paging,
    parent: QueryUnit | None = None,
    kind: Annotated[UnitKind | None, Query(description="Only units of this kind")] = None,
) -> Page[Unit]:
    """The units in the caller's part of the tree, by id."""
    rows = await reads.all(
        queries.LISTS[parent is not None, kind is not None],
        roots=await service.roots_of(reads, caller),
        after=asked.after,
        limit=asked.fetch,
        parent=parent,
        kind=kind,
    )
    return Page[Unit](**page(asked, rows, lambda row: row.id, Unit.of))


@router.post("/units", status_code=201)
async def create_unit(uow: Uow, caller: WriteUnits, command: NewUnit) -> Unit:
    """Create a unit below its parent; the root has none."""
    row = await service.create_unit(uow, caller, command)
    uow.headers |= {"Location": f"/staff/v1/units/{row.id}", "ETag": etag(row.version)}
    return Unit.of(row)


@router.get("/units/{unit}")
async def get_unit(reads: Reads, caller: ReadUnits, unit: UnitId) -> Unit:
    """One unit."""
    row = await service.find_unit(reads, caller, unit)
    reads.headers["ETag"] = etag(row.version)
    return Unit.of(row)


@router.patch("/units/{unit}")
async def change_unit(uow: Uow, caller: WriteUnits, unit: UnitId, change: UnitChange, if_match: IfMatch = None) -> Unit:
    """Rename a unit, or change its zone, cut-off or end."""
    row = await service.change_unit(uow, caller, unit, change, if_match)
    uow.headers["ETag"] = etag(row.version)
    return Unit.of(row)
