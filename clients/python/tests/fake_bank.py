"""A bank in memory behind the HTTP contract: stores replies per key, and loses some as a killed server does."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

STEPS = {
    "recall": (("called",), "called"),
    "start": (("called",), "serving"),
    "finish": (("serving",), "served"),
    "no-show": (("called",), "no_show"),
    "leave": (("waiting", "called"), "left"),
}
QUESTIONNAIRE = {
    "code": "visit",
    "version": 1,
    "items": [
        {"code": code, "dimension": code, "texts": {}, "scale_min": 1, "scale_max": 5, "required": code != "attitude"}
        for code in ("quality", "efficiency", "attitude")
    ],
}


class FakeBank:
    """One branch `gz-001`: cash needs nothing, foreign exchange the qualification `fx`, held by T0002 only.

    `lossy` is the share of requests that get no reply, half of them before and half after they took effect.
    """

    def __init__(self, *, lossy: float = 0.0, seed: int = 0) -> None:
        self.visits: dict[str, dict[str, Any]] = {}
        self.windows = {
            no: {"no": no, "state": "closed", "staff_id": None, "services": [], "visit": None} for no in (1, 2)
        }
        self.responses: dict[str, dict[str, int]] = {}
        self.replies: dict[str, tuple[int, Any]] = {}
        self.invitation_asked: set[str] = set()
        self.bearers: set[str] = set()
        self._chance = Random(seed)  # noqa: S311 - reproducible faults
        self._lossy = lossy
        self._routes: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
            ("GET", "/staff/v1/units", self._units),
            ("GET", "/staff/v1/people", self._people),
            ("GET", "/staff/v1/people/(.+)/qualifications", self._qualifications),
            ("GET", "/queue/v1/branches/gz-001/services", self._services),
            ("GET", "/queue/v1/branches/gz-001/windows", self._windows),
            ("POST", r"/queue/v1/branches/gz-001/windows/(\d+)/(open|close|resume)", self._window),
            ("POST", r"/queue/v1/branches/gz-001/windows/(\d+)/call-next", self._call_next),
            ("POST", "/queue/v1/branches/gz-001/tickets", self._ticket),
            ("GET", "/queue/v1/visits/([^/]+)", self._visit),
            ("POST", "/queue/v1/visits/([^/]+)/([^/]+)", self._step),
            ("GET", "/surveys/v1/visits/(.+)/invitation", self._invitation),
            ("GET", "/surveys/v1/invitations/([^/]+)", self._questionnaire),
            ("POST", "/surveys/v1/invitations/([^/]+)/response", self._respond),
        ]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self._chance.random() < self._lossy / 2:
            raise httpx.ConnectError("killed before")
        status, body = self._answer(request)
        if self._chance.random() < self._lossy / 2:
            raise httpx.RemoteProtocolError("killed after")
        return httpx.Response(status, json=body) if body is not None else httpx.Response(status)

    def _answer(self, request: httpx.Request) -> tuple[int, Any]:
        key = request.headers.get("Idempotency-Key", "")
        if key in self.replies:
            return self.replies[key]
        self.bearers.add(request.headers.get("Authorization", ""))
        self._staff = request.headers.get("Authorization", "").rpartition("|")[2]
        self._sent = json.loads(request.content) if request.content else {}
        for method, pattern, answer in self._routes:
            match = re.fullmatch(pattern, request.url.path)
            if match and method == request.method:
                status, body = answer(*match.groups())
                body = json.loads(json.dumps(body))
                if key and status < 300:
                    self.replies[key] = (status, body)
                return status, body
        raise AssertionError(f"no such route: {request.method} {request.url}")

    def _units(self) -> tuple[int, Any]:
        return _items({"id": "hq", "kind": "head_office"}, {"id": "gz-001", "kind": "branch"})

    def _people(self) -> tuple[int, Any]:
        return _items(
            {"id": "T0001", "post": "teller"}, {"id": "M0001", "post": "manager"}, {"id": "T0002", "post": "teller"}
        )

    def _qualifications(self, person: str) -> tuple[int, Any]:
        return _items({"code": "fx" if person == "T0002" else "expired"})

    def _services(self) -> tuple[int, Any]:
        needed = {"cash": None, "fx": "fx", "gold": "expired"}
        return _items(*({"code": code, "required_qualification": needs} for code, needs in needed.items()))

    def _windows(self) -> tuple[int, Any]:
        return _items(*self.windows.values())

    def _window(self, no: str, verb: str) -> tuple[int, Any]:
        window = self.windows[int(no)]
        if verb == "open":
            if "gold" in self._sent["services"]:
                return 409, {"code": "not_qualified"}
            window.update(staff_id=self._staff, services=self._sent["services"])
        window["state"] = "closed" if verb == "close" else "open"
        return 200, window

    def _call_next(self, no: str) -> tuple[int, Any]:
        window = self.windows[int(no)]
        if window["visit"]:
            return 409, {"code": "window_busy"}
        for visit in self.visits.values():
            if visit["status"] == "waiting" and visit["service"] in window["services"]:
                visit.update(status="called", window=int(no))
                window["visit"] = visit["id"]
                return 200, visit
        return 204, None

    def _ticket(self) -> tuple[int, Any]:
        visit_id = f"v{len(self.visits)}"
        self.visits[visit_id] = {"id": visit_id, "status": "waiting", "window": None, **self._sent}
        return 201, {"id": visit_id, "number": visit_id, "status": "waiting", "ahead": 0, "token": "t"}

    def _visit(self, visit_id: str) -> tuple[int, Any]:
        return 200, self.visits[visit_id]

    def _step(self, visit_id: str, verb: str) -> tuple[int, Any]:
        visit = self.visits[visit_id]
        allowed, status = STEPS[verb]
        if visit["status"] not in allowed:
            return 409, {"code": "illegal_transition", "state": visit["status"]}
        visit["status"] = status
        if status in {"served", "no_show", "left"} and visit["window"]:
            self.windows[visit["window"]]["visit"] = None
        return 200, visit

    def _invitation(self, visit_id: str) -> tuple[int, Any]:
        if visit_id not in self.invitation_asked:
            self.invitation_asked.add(visit_id)
            return 404, {"code": "not_found"}
        return 200, {"id": f"i-{visit_id}", "token": visit_id, "visit": visit_id, "status": "open"}

    def _questionnaire(self, token: str) -> tuple[int, Any]:
        return 200, {"status": "open", "questionnaire": QUESTIONNAIRE}

    def _respond(self, token: str) -> tuple[int, Any]:
        if token in self.responses:
            return 409, {"code": "already_answered"}
        self.responses[token] = self._sent["answers"]
        return 201, {"id": f"r-{token}"}


def _items(*items: Any) -> tuple[int, Any]:
    return 200, {"items": list(items), "next": None}
