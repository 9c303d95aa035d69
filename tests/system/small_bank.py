"""The application of all services with two branches, furnished over HTTP as a bank would do it."""

from dataclasses import dataclass
from typing import Any

from shared.testing.system import System

SINCE = "2020-01-01T00:00:00Z"
NAMES = {"zh": "名称", "en": "Name"}
SERVICE = {
    "names": NAMES,
    "prefix": "A",
    "required_qualification": "counter",
    "expected_minutes": 5,
    "materials": [{"code": "id", "names": NAMES, "kind": "required", "form": "original"}],
    "steps": [{"code": "do", "names": NAMES}],
}
UNITS = (("hq", None), ("gd", "hq"), ("gz-001", "gd"), ("gz-002", "gd"), ("bj-001", "hq"))
STAFF = (("T0001", "gz-001"), ("T0002", "gz-002"), ("M0001", "gz-001"))
ITEMS = [{"code": name, "dimension": name, "texts": NAMES} for name in ("quality", "efficiency", "attitude")]


@dataclass
class Bank:
    """A furnished system: ``visit`` is being called at window 1 of gz-001, ``ticket`` still waits."""

    running: System
    visit: dict[str, Any]
    ticket: dict[str, Any]


async def furnish(running: System) -> Bank:
    """Units, staff, one service, a questionnaire, an open window and two tickets; every event has had its effect."""
    call = running.call

    async def post(path: str, body: Any, role: str = "head_office", **more: Any) -> dict[str, Any]:
        answer = await call("POST", path, role, json=body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    for code, parent in UNITS:
        kind = "head_office" if parent is None else "region" if code == "gd" else "branch"
        unit = {"code": code, "parent": parent, "kind": kind, "names": NAMES, "valid_from": SINCE}
        await post("/staff/v1/units", unit)
    for person, unit in STAFF:
        await post("/staff/v1/people", {"id": person, "name": "李晓梅", "unit": unit, "post": "teller"})
        held = {"code": "counter", "valid_from": SINCE, "valid_to": "2035-01-01T00:00:00Z"}
        await post(f"/staff/v1/people/{person}/qualifications", held)
    made = await post("/surveys/v1/questionnaires", {"code": "visit", "items": ITEMS})
    await post(f"/surveys/v1/questionnaires/visit/versions/{made['version']}/publish", {})
    await running.settle()
    await call("PUT", "/queue/v1/services/cash", "head_office", json=SERVICE, expect=200)
    ordinary = {"names": NAMES, "head_start_seconds": 0, "evidence": "none"}
    await call("PUT", "/queue/v1/classes/ordinary", "head_office", json=ordinary, expect=200)
    for unit, staff in (("gz-001", "T0001"), ("gz-002", "T0002")):
        branch = f"/queue/v1/branches/{unit}"
        await call("PUT", f"{branch}/services/cash", "head_office", json={"offered": True}, expect=200)
        for no in (1, 2):
            await call("PUT", f"{branch}/windows/{no}", "head_office", json={}, expect=200)
        await post(f"{branch}/windows/1/open", {}, "teller", staff=staff, units=(unit,))
    # Window 2 stays closed.
    tickets = [
        await post("/queue/v1/branches/gz-001/tickets", {"service": "cash"}, "kiosk", units=("gz-001",))
        for _ in range(2)
    ]
    await post("/queue/v1/branches/gz-001/windows/1/call-next", None, "teller", staff="T0001", units=("gz-001",))
    await running.settle()
    return Bank(running, *tickets)
