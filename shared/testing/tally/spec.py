"""The tally's routes and specification."""

from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, Field

from shared.contracts.staff import PersonState
from shared.db.uow import Reads, Uow
from shared.events.outgoing import Outgoing
from shared.security.principal import Principal
from shared.security.scopes import public, scope
from shared.spec import ServiceSpec
from shared.testing.tally.tables import ALL, LOCK, NEW, ONE, TALLY, add, total
from shared.web.etags import IfMatch, check_version, etag
from shared.web.fields import Command, PathId, Text
from shared.web.paging import Page, Paging, page
from shared.web.problems import InvalidField, NotFound, Problem
from shared.web.routing import ServiceRouter

Write = Annotated[Principal, scope("tally:totals:write", "kiosk", "app", "integration", "teller", "branch_manager")]
Read = Annotated[Principal, scope("tally:totals:read", "teller", "branch_manager")]

router = ServiceRouter("tally", "totals")


class Addition(Command):
    """What to add."""

    amount: int = Field(ge=-(2**40), le=2**40)
    note: Text | None = None
    tags: list[str] = Field(default_factory=list, max_length=5)


class Shown(BaseModel):
    """A total."""

    name: str
    amount: int
    additions: int


class Busy(Problem):
    """A refusal by the state, as a window that already serves somebody."""

    status = 409
    code = "busy"
    title_zh = "正忙"
    title_en = "Busy"


class Refused(Problem):
    """A refusal that is itself told."""

    status = 409
    code = "refused"
    title_zh = "已拒绝"
    title_en = "Refused"


def told(name: str) -> PersonState:
    """Any event will do."""
    return PersonState(person=name, unit="hq", post="teller", active=True)


@router.post("/totals/{name}/additions", status_code=201)
async def add_to(uow: Uow, actor: Write, name: PathId, command: Addition) -> Shown:
    """Add, and tell it."""
    amount, additions = await add(uow, name, command.amount)
    await uow.emit(told(name), subject=name)
    uow.headers["Location"] = f"/tally/v1/totals/{name}"
    uow.headers["ETag"] = etag(additions)
    return Shown(name=name, amount=amount, additions=additions)


@router.post("/totals/{name}/start", status_code=201)
async def start(uow: Uow, actor: Write, name: PathId) -> Shown:
    """Start once: a second start is refused by the state that the first one left."""
    if await uow.one(LOCK, name=name) is not None:
        raise Busy
    await uow.execute(NEW, name=name, amount=1, sequence=1)
    return Shown(name=name, amount=1, additions=1)


@router.put("/totals/{name}")
async def change(uow: Uow, actor: Write, name: PathId, command: Addition, if_match: IfMatch = None) -> Shown:
    """Add on top of a known version."""
    row = await uow.one(LOCK, name=name)
    if row is None:
        raise NotFound
    check_version(if_match, row.sequence)
    amount, additions = await add(uow, name, command.amount)
    uow.headers["ETag"] = etag(additions)
    return Shown(name=name, amount=amount, additions=additions)


@router.post("/totals/{name}/refuse", status_code=201)
async def refuse(uow: Uow, actor: Write, name: PathId) -> Shown:
    """Change something, then refuse and tell of the refusal."""
    await add(uow, name, 1)
    problem = Refused(detail_en="No.", detail_zh="不。", pointer="/name", state="full")
    problem.tell = [Outgoing(told(name), name, uow.now)]
    raise problem


@router.post("/totals/{name}/break", status_code=201)
async def break_down(uow: Uow, actor: Write, name: PathId) -> Shown:
    """Change something, then fail by a fault of ours whose message holds a name."""
    await add(uow, name, 1)
    raise RuntimeError("Zhang San")


@router.post("/links/{token}", status_code=201, dependencies=[public("holder of the link")])
async def by_link(uow: Uow, request: Request, token: PathId) -> Shown:
    """A write without a token."""
    amount, additions = await add(uow, token, 1)
    return Shown(name=token, amount=amount, additions=additions)


@router.delete("/totals/{name}")
async def touch(uow: Uow, actor: Write, name: PathId) -> None:
    """A write without a body in its reply."""
    await add(uow, name, 1)


@router.get("/totals/{name}")
async def show(reads: Reads, actor: Read, name: PathId) -> Shown | None:
    """One total, or 204."""
    row = await reads.one(ONE, name=name)
    if row is None:
        return None
    reads.headers["ETag"] = etag(row.sequence)
    return Shown(name=row.name, amount=row.amount, additions=row.sequence)


@router.get("/totals")
async def listing(reads: Reads, actor: Read, paging: Paging) -> Page[Shown]:
    """All totals by name."""
    rows = [row for row in await reads.all(ALL) if row.name > paging.after][: paging.fetch]
    shown: dict[str, Any] = page(
        paging, rows, lambda row: row.name, lambda row: Shown(name=row.name, amount=row.amount, additions=row.sequence)
    )
    return Page[Shown](**shown)


@router.get("/odd")
async def odd(reads: Reads, actor: Read, q: str = "") -> Shown:
    """An unbounded text of the query, refused by a rule."""
    raise InvalidField("/query/q", "odd", "It is odd", "奇怪")


SPEC = ServiceSpec(
    name="tally",
    routers=(router,),
    metadata=TALLY,
    migrations="shared.testing.tally.migrations",
    produces=("staff.directory",),
    directory=False,
)

__all__ = ["SPEC", "told", "total"]
