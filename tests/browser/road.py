"""What happens in a branch while somebody looks: acts of tellers and kiosks over the API of a running system."""

from typing import Any

import httpx

from shared.ids import uuid7
from shared.testing.process import RunningSystem


class Road:
    """A branch spoken to as its people do; ``service`` is done at ``window`` by ``staff``."""

    def __init__(self, bank: RunningSystem, unit: str = "gz-001", window: str = "1", staff: str = "T0001") -> None:
        self.bank, self.unit, self.window, self.staff = bank, unit, window, staff
        self.client = httpx.Client(base_url=bank.base_url, timeout=30)

    def send(
        self, method: str, path: str, role: str, expect: int | tuple[int, ...] = (200, 201), **request: Any
    ) -> Any:
        """Call ``/queue/v1`` and below as ``role``; the reply's JSON, None without one."""
        token = self.bank.token(role, self.staff if role == "teller" else None)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": uuid7(), "accept-language": "en"}
        answer = self.client.request(method, path, headers=headers | request.pop("headers", {}), **request)
        wanted = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def ticket(self, service: str = "cash") -> dict[str, Any]:
        """Take a number."""
        return self.send("POST", f"/queue/v1/branches/{self.unit}/tickets", "kiosk", json={"service": service})

    def open(self, *services: str) -> None:
        """Open the window."""
        windows = self.send("GET", f"/queue/v1/branches/{self.unit}/windows", "teller")["items"]
        if next(each for each in windows if each["no"] == self.window)["state"] == "open":
            return
        path = f"/queue/v1/branches/{self.unit}/windows/{self.window}/open"
        body = {"services": list(services)} if services else {}
        self.send("POST", path, "teller", json=body)

    def call(self) -> dict[str, Any]:
        """Call the next one."""
        path = f"/queue/v1/branches/{self.unit}/windows/{self.window}/call-next"
        return self.send("POST", path, "teller")

    def act(self, visit: str, *verbs: str) -> None:
        """Start, finish, no-show…"""
        for verb in verbs:
            self.send("POST", f"/queue/v1/visits/{visit}/{verb}", "teller")

    def close(self) -> None:
        """Forget the connection."""
        self.client.close()
