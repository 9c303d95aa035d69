"""A branch with one service, for the hot path: the product's application, or the floor's, on a port.

``python -m tests.bench.hall product|floor FOLDER PORT [URL]`` serves until it is ended (on PostgreSQL by URL).
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.queue.spec import SPEC
from services.queue.tickets import queries as tickets
from services.queue.windows import queries as windows
from shared.app import Parts, build_app
from shared.clock import SystemClock
from shared.db.database import Database
from shared.db.postgres import PostgresDatabase
from shared.db.uow import UnitContext, Uow
from shared.directory.business_day import business_date
from shared.ids import uuid7
from shared.settings import Settings
from shared.spec import ServiceSpec
from shared.testing.bank import SMALL_BANK, learn
from shared.testing.system import system
from tests.bench import floor

WINDOWS = 40
"""Windows of the hall in which tickets are issued."""
CALLS, WAITING = 2000, 2500
"""Windows that each call once, and tickets that wait for them: a call must find somebody, and a free window."""
SERVICE: dict[str, Any] = {
    "names": {"zh": "现金业务", "en": "Cash"},
    "prefix": "A",
    "required_qualification": "counter",
    "expected_minutes": 5,
    "materials": [{"code": "id", "names": {"zh": "身份证", "en": "ID"}, "kind": "required", "form": "original"}],
    "steps": [{"code": "serve", "names": {"zh": "办理", "en": "Serve"}}],
}


Opening = Callable[[ServiceSpec, UnitContext], Awaitable[Database]]


def _database(url: str) -> Opening | None:
    async def opening(_: ServiceSpec, context: UnitContext) -> Database:
        return PostgresDatabase(url, SystemClock(), context)

    return opening if url else None


async def prepare(folder: Path, url: str = "", *, calls: bool) -> dict[str, str]:
    """Make the branch, with all of its windows open, in ``folder`` or the database of ``url``, which is migrated; gives
    the tokens of a kiosk and a manager."""
    async with system([SPEC], folder, clock=SystemClock(), database=_database(url)) as bank:
        await learn(bank.runtime("queue").db, *SMALL_BANK)
        await bank.call("PUT", "/queue/v1/services/cash", "head_office", json=SERVICE, expect=200)
        await bank.call("PUT", "/queue/v1/branches/gz-001/services/cash", "head_office", json={}, expect=200)
        ordinary = {"names": {"zh": "普通", "en": "Ordinary"}, "head_start_seconds": 0, "evidence": "none"}
        await bank.call("PUT", "/queue/v1/classes/ordinary", "head_office", json=ordinary, expect=200)
        await bank.call("PUT", "/queue/v1/branches/gz-001/windows/0", "head_office", json={}, expect=200)
        await bank.runtime("queue").db.write(lambda uow: _furnish(uow, calls=calls), actor="bench")
        return {
            "kiosk": bank.token("kiosk", sub="kiosk"),
            "manager": bank.token("branch_manager", staff="M0001"),
        }


async def _furnish(uow: Uow, *, calls: bool) -> None:
    numbers = [str(no) for no in range(1, (CALLS if calls else WINDOWS) + 1)]
    here = {"unit": "gz-001"}
    await uow.many(
        windows.SET_UP,
        [
            here | {"no": no, "state": "open", "configured": None, "new_configured": None, "staff": f"B{no}",
                    "visit": None, "opened_at": uow.now, "version": 1}
            for no in numbers
        ],
    )  # fmt: skip
    await uow.many(windows.ADD_SERVICE, [here | {"no": no, "service": "cash"} for no in numbers])
    day = business_date(uow.now, "Asia/Shanghai", "00:00")
    empty = dict.fromkeys(column.name for column in tickets.visit.columns)
    await uow.many(
        tickets.ADD,
        [
            empty | here | {
                "id": uuid7(), "business_date": day, "number": f"W{n}", "service": "cash", "ticket_class": "ordinary",
                "channel": "kiosk", "status": "waiting", "origin": "live", "issued_at": uow.now, "order_at": uow.now,
                "calls": 0, "version": 1,
            }
            for n in range(WAITING if calls else 0)
        ],
    )  # fmt: skip


def product(folder: Path, url: str = "") -> FastAPI:
    """The queue service as ``serve`` runs it: the API alone, whose events its worker would relay."""
    parts = Parts(database=_database(url))
    return build_app([SPEC], Settings(data=folder, roles=frozenset({"api"})), parts)


def main() -> None:
    """Serve one of the two."""
    which, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    url = sys.argv[4] if len(sys.argv) > 4 else ""
    app = product(folder, url) if which == "product" else floor.app(url or str(folder / "queue.sqlite3"))
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
