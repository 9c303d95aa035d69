"""Waiting, from outside, until a running system has told and heard everything."""

import time
from typing import Any

from wangdian_client import Wangdian

from shared.testing.process import RunningSystem
from tests.chaos.evidence import SERVICES, nothing_waits

CALM = 3
"""How many looks in a row must find nothing on its way: an event may be between two tables."""


def bank_of(system: RunningSystem, role: str, unit: str = "*", staff: str | None = None) -> Wangdian:
    """The SDK as ``role``."""
    return Wangdian(system.base_url, token_provider=lambda: system.token(role, staff, unit))


def flows(bank: Wangdian) -> dict[str, Any]:
    """What the operator sees of each service."""
    return {name: bank.request("GET", f"/operator/v1/{name}/flow") for name in SERVICES}


def is_calm(flow: dict[str, Any], *, parked: int = 0) -> bool:
    """Nothing waits to be told or heard, and ``parked`` subjects wait for a person."""
    waiting = sum(each["outbox_waiting"] + each["lag"] for each in flow.values())
    stopped = [each["stopped"] for each in flow.values() if each["stopped"]]
    return not waiting and not stopped and sum(each["parked_subjects"] for each in flow.values()) == parked


def settle(system: RunningSystem, seconds: float = 60.0, *, parked: int = 0) -> None:
    """Wait until all is calm; the last figures are the error's text."""
    until, calm = time.monotonic() + seconds, 0
    with bank_of(system, "operator") as bank:
        while calm < CALM:
            flow = flows(bank)
            offsets = [said for said in nothing_waits(system.folder) if "letters" not in said]
            calm = calm + 1 if is_calm(flow, parked=parked) and not offsets else 0
            if time.monotonic() > until:
                raise TimeoutError(f"{flow} {offsets}")
            time.sleep(0.3)


def wait_for_bank(system: RunningSystem, seconds: float = 120.0) -> None:
    """Wait until the example bank is loaded whole: its questionnaire is the last part."""
    until = time.monotonic() + seconds
    while True:
        with bank_of(system, "head_office") as bank:
            found = bank.request("GET", "/surveys/v1/questionnaires", params={"limit": 1})
            if any(version["state"] == "published" for version in found["items"]):
                return
        if time.monotonic() > until:
            raise TimeoutError(system.said()[-2000:])
        time.sleep(0.2)
