"""A history read back as operations: each from its first invocation to its final answer."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any

_PATHS = (
    ("POST", re.compile(r"^/queue/v1/branches/(?P<unit>[^/]+)/tickets$"), "issue"),
    ("POST", re.compile(r"^/queue/v1/branches/(?P<unit>[^/]+)/windows/(?P<no>[^/]+)/(?P<act>[a-z-]+)$"), None),
    ("GET", re.compile(r"^/queue/v1/branches/(?P<unit>[^/]+)/windows$"), "windows"),
    ("POST", re.compile(r"^/queue/v1/visits/(?P<visit>[^/]+)/(?P<act>[a-z-]+)$"), None),
    ("GET", re.compile(r"^/queue/v1/visits/(?P<visit>[^/]+)$"), "read"),
)


@dataclass
class Operation:
    """``ended`` is infinite while no answer is known: it may have had its effect, or have it later."""

    client: str
    act: str
    begun: float
    unit: str = ""
    no: str = ""
    visit: str = ""
    ended: float = inf
    status: int = 0
    reply: Any = None

    @property
    def answered(self) -> bool:
        """Whether it is known how it ended."""
        return self.status != 0

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return 200 <= self.status < 300

    @property
    def possible(self) -> bool:
        """Whether it may have had an effect: it was not refused."""
        return self.done or not self.answered


def read(lines: Iterable[str]) -> list[Operation]:
    """The operations on visits and windows of a history, by their first invocation."""
    found: dict[str, Operation] = {}
    for text in lines:
        line = json.loads(text)
        if line["kind"] == "invoke":
            operation = _operation(line)
            if operation is not None:
                found.setdefault(line["key"], operation)
        elif line["key"] in found and not found[line["key"]].answered:
            operation = found[line["key"]]
            operation.ended, operation.status, operation.reply = line["at"], line["status"], line["reply"]
    return sorted(found.values(), key=lambda operation: operation.begun)


def _operation(line: dict[str, Any]) -> Operation | None:
    for method, pattern, act in _PATHS:
        match = pattern.match(line["path"])
        if match and line["method"] == method:
            parts = match.groupdict()
            parts["act"] = act or parts["act"]
            return Operation(client=line["client"], begun=line["at"], **parts)
    return None
