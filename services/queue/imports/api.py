"""Routes of imports."""

import asyncio
import re
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from services.queue.auth import ImportHistory, ReadImports
from services.queue.imports import queries, service
from services.queue.imports.formats.registry import named
from services.queue.imports.schemas import UNIT_PATTERN, UPLOAD, ImportReport, RejectView, reject_view, report
from services.queue.imports.upload import UploadForm
from services.queue.imports.worker import spool_of
from shared.db.statements import Row
from shared.db.uow import Reads, Uow
from shared.directory import replica
from shared.ids import uuid7
from shared.runtime import ServiceRuntime
from shared.security.principal import Principal
from shared.web.fields import PathId, QueryUnit
from shared.web.idempotency import Key, Reply, claim, keep, make_key
from shared.web.paging import Page, Paging, page
from shared.web.problems import BadBody, InvalidField, KeyRequired, NotFound, Problem
from shared.web.routing import KEY_ROLES, ServiceRouter

router = ServiceRouter("queue", "imports")

_LATEST: Final = "~"
"""Sorts after every id."""


@router.post("/imports", status_code=202, response_model=ImportReport, openapi_extra=UPLOAD)
async def import_history(request: Request, actor: ImportHistory) -> Response:
    """Upload a file of history (历史数据导入), plain or gzip; it is on disk when this answers, and imported after that.

    The same file a second time changes nothing. Nothing is sent, invited or alerted for history.
    """
    runtime: ServiceRuntime = request.app.state.services["queue"]
    header = request.headers.get("idempotency-key")
    if header is None and actor.has(*KEY_ROLES):
        raise KeyRequired(pointer="/header/idempotency-key")

    def key_of(*told: str) -> Key | None:
        body = "\n".join(told).encode()
        return (
            None
            if header is None
            else make_key(request.app.state.keyring, actor.sub, header, request.method, request.url.path, body)
        )

    key_of()  # a malformed key is refused before the file comes
    run, spool = uuid7(), spool_of(runtime.settings.data)
    incoming = await asyncio.to_thread(spool.receive, run)
    try:
        form = UploadForm(request.headers.get("content-type", ""), incoming)
        checked = False
        async for piece in request.stream():
            await asyncio.to_thread(form.feed, piece)
            if not checked and form.complete >= {"format", "unit"}:
                checked = True
                await _check(runtime, actor, form)
        form.close()
        format_name, unit = await _check(runtime, actor, form)
        await asyncio.to_thread(incoming.keep)
    except ClientDisconnect:
        raise BadBody from None
    finally:
        await asyncio.to_thread(incoming.discard)

    key = key_of(format_name, unit, form.sha256)

    async def work(uow: Uow) -> Reply:
        if key is not None and (kept := await claim(uow, key)) is not None:
            return kept
        await replica.branch(uow, actor, unit)
        row = await service.begin(uow, run=run, unit=unit, format_name=format_name, sha256=form.sha256, size=form.size)
        headers = {"content-type": "application/json", "location": f"/queue/v1/imports/{run}"}
        reply = Reply(202, headers, report(row).model_dump_json().encode())
        if key is not None:
            await keep(uow, key, reply)
        return reply

    try:
        reply = await runtime.db.write(work, actor=actor.sub)
    except Problem:
        await asyncio.to_thread(spool.remove, run)
        raise
    # Any other error may have come after the commit: the file stays, and the worker's sweep decides by the row.
    if not reply.headers["location"].endswith(run):
        await asyncio.to_thread(spool.remove, run)
    return Response(reply.body, reply.status, reply.headers | {"cache-control": "no-store"})


async def _check(runtime: ServiceRuntime, actor: Principal, form: UploadForm) -> tuple[str, str]:
    """The registry's name of the format and the branch, or the problem that names the field."""
    format_ = named(form.text("format"))
    if format_ is None:
        raise InvalidField("/format", "unknown_value", "There is no such format", "没有此格式")
    unit = form.text("unit")
    if not re.fullmatch(UNIT_PATTERN, unit):
        raise InvalidField("/unit", "malformed", "This is not a unit's id", "机构编号格式有误")
    branch = await runtime.db.read(lambda reads: replica.branch(reads, actor, unit))
    if branch.kind != "branch":
        raise InvalidField("/unit", "not_a_branch", "History belongs to a branch", "历史数据须归属网点")
    return format_.name, unit


@router.get("/imports")
async def list_imports(reads: Reads, actor: ReadImports, unit: QueryUnit, paging: Paging) -> Page[ImportReport]:
    """The imports of a branch, or of all branches below a unit; the latest first."""
    top = await replica.branch(reads, actor, unit)
    rows = await reads.all(
        queries.BELOW,
        first=top.path,
        last=top.path + replica.AFTER_ANY_ID,
        before=paging.after or _LATEST,
        most=paging.fetch,
    )
    return Page[ImportReport](**page(paging, rows, lambda row: row.id, report))


@router.get("/imports/{run}")
async def show_import(reads: Reads, actor: ReadImports, run: PathId) -> ImportReport:
    """How far an import is; ``completed`` and ``failed`` are final."""
    return report(await _mine(reads, actor, run))


@router.get("/imports/{run}/rejects")
async def list_rejects(reads: Reads, actor: ReadImports, run: PathId, paging: Paging) -> Page[RejectView]:
    """The refused lines in the order of the file; the first 200,000 of them, all are counted in the import."""
    await _mine(reads, actor, run)
    if paging.after and not (paging.after.isascii() and paging.after.isdigit() and len(paging.after) < 16):
        raise InvalidField("/query/cursor", "invalid_cursor", "The cursor is not one of ours", "游标无效")
    rows = await reads.all(queries.REJECTS, run=run, after=int(paging.after or 0), most=paging.fetch)
    return Page[RejectView](**page(paging, rows, lambda row: str(row.line_no), reject_view))


async def _mine(reads: Reads, actor: Principal, run: str) -> Row:
    """The import if its branch lies in the caller's tree, else 404."""
    row = await reads.one(queries.RUN, run=run)
    if row is None:
        raise NotFound(pointer="/path/run")
    await replica.branch(reads, actor, row.unit)
    return row
