"""A kiosk as its server sees it."""

from datetime import timedelta
from typing import Any

from shared.ids import uuid7


class Machine:
    """One kiosk of ``gz-001``, with acts numbered in their order."""

    def __init__(self, hall: Any, sub: str = "kiosk-1") -> None:
        self.hall, self.sub, self.seq = hall, sub, 0

    async def send(self, path: str, body: dict[str, Any], expect: int | None = 200) -> Any:
        """Call ``/queue/v1{path}`` under this kiosk's own name."""
        token = self.hall.running.token("kiosk", units=("gz-001",), sub=self.sub)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": uuid7()}
        answer = await self.hall.running.client.post(f"/queue/v1{path}", json=body, headers=headers)
        assert expect is None or answer.status_code == expect, answer.text
        return answer

    async def borrow(self, service: str = "cash", count: int = 40) -> dict[str, Any]:
        """Numbers on loan."""
        body = {"unit": "gz-001", "service": service, "count": count}
        return (await self.send("/kiosks/lease", body, 201)).json()

    def _act(self, clock: timedelta, **more: Any) -> dict[str, Any]:
        self.seq += 1
        at = (self.hall.clock.now() + clock).isoformat()
        return {"id": uuid7(), "seq": self.seq, "device_time": at} | more

    def took(
        self, lease: dict[str, Any], at: int, *, offset_ms: int = 0, clock: timedelta = timedelta()
    ) -> dict[str, Any]:
        """A customer took the number at this place of the lease, now; ``clock``: how far the kiosk's own is off."""
        return self._act(
            clock,
            kind="issue",
            lease=lease["id"],
            signature=lease["signature"],
            number=lease["numbers"][at]["number"],
            offset_ms=offset_ms,
        )

    def help(self) -> dict[str, Any]:
        """A customer called for a person."""
        return self._act(timedelta(), kind="help")

    async def report(self, acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Tell what happened; the results in the order of the acts."""
        return (await self.send("/tickets/sync", {"unit": "gz-001", "actions": acts})).json()["results"]
