"""A branch of 40 windows with one service, for the hot path: the product's application, or the floor's, on a port.

``python -m tests.bench.hall product|floor FOLDER PORT`` serves until it is ended.
"""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.queue.spec import SPEC
from services.queue.windows import queries as windows
from shared.app import Parts, build_app
from shared.db.uow import Uow
from shared.settings import Settings
from shared.testing.bank import SMALL_BANK, learn, person, qualification
from shared.testing.system import system
from tests.bench import floor

WINDOWS = 40
SERVICE: dict[str, Any] = {
    "names": {"zh": "现金业务", "en": "Cash"},
    "prefix": "A",
    "required_qualification": "counter",
    "expected_minutes": 5,
    "materials": [{"code": "id", "names": {"zh": "身份证", "en": "ID"}, "kind": "required", "form": "original"}],
    "steps": [{"code": "serve", "names": {"zh": "办理", "en": "Serve"}}],
}


async def prepare(folder: Path) -> dict[str, str]:
    """Make the branch in ``folder``; gives the tokens of the kiosk and of each window's teller."""
    async with system([SPEC], folder, clock=_Now()) as bank:
        tellers = [f"B{no:03d}" for no in range(1, WINDOWS + 1)]
        staff = [state for t in tellers for state in (person(t, "gz-001"), qualification(t, "counter"))]
        await learn(bank.runtime("queue").db, *SMALL_BANK, *staff)
        await bank.call("PUT", "/queue/v1/services/cash", "head_office", json=SERVICE, expect=200)
        await bank.call("PUT", "/queue/v1/branches/gz-001/services/cash", "head_office", json={}, expect=200)
        ordinary = {"names": {"zh": "普通", "en": "Ordinary"}, "head_start_seconds": 0, "evidence": "none"}
        await bank.call("PUT", "/queue/v1/classes/ordinary", "head_office", json=ordinary, expect=200)
        for no, teller in enumerate(tellers, start=1):
            path = f"/queue/v1/branches/gz-001/windows/{no}"
            await bank.call("PUT", path, "head_office", json={}, expect=200)
            await bank.call("POST", f"{path}/open", "teller", staff=teller, expect=200)
        tokens = {teller: bank.token("teller", staff=teller) for teller in tellers}
        return tokens | {"kiosk": bank.token("kiosk", sub="kiosk")}


class _Now:
    """The machine's clock, as the settled system needs one."""

    def now(self) -> Any:
        from shared.clock import SystemClock

        return SystemClock().now()


def product(folder: Path) -> FastAPI:
    """The queue service as ``serve`` runs it: the API alone, whose events its worker would relay."""
    app = build_app([SPEC], Settings(data=folder, roles=frozenset({"api"})), Parts())

    @app.post("/bench/free")
    async def free() -> dict[str, int]:
        async def clear(uow: Uow) -> int:
            return sum(
                [
                    await uow.execute(windows.TAKE, unit="gz-001", no=str(no), new_visit=None)
                    for no in range(1, WINDOWS + 1)
                ]
            )

        return {"freed": await app.state.services["queue"].db.write(clear, actor="bench")}

    return app


def main() -> None:
    """Serve one of the two."""
    which, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    app = product(folder) if which == "product" else floor.app(folder / "queue.sqlite3")
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
