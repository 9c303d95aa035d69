"""Proves from a history alone, in the manner of Jepsen, that the queue kept its promises. Pure: no clock, no system.

Operations overlap, and an operation without an answer may have had its effect at any time after its invocation. So only
what no order of effects within these bounds can explain is a fault.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Any

from tests.history.operations import Operation

Operations = Sequence[Operation]
RANK = {"waiting": 0, "called": 1, "serving": 2, "served": 3, "no_show": 3, "left": 3}
ONCE = ("start", "finish", "no-show", "leave")


def numbers(history: Operations) -> Iterator[str]:
    """Per branch, business date and prefix: each number once, without gaps, and growing with time.

    A gap is explained by an issue that was never answered, one for each.
    """
    given: dict[tuple[str, str, str], list[tuple[int, Operation]]] = defaultdict(list)
    unknown = Counter(one.unit for one in history if one.act == "issue" and not one.answered)
    for one in history:
        if one.act == "issue" and one.done:
            prefix, count = re.fullmatch(r"(\D*)(\d+)", one.reply["number"]).groups()  # type: ignore[union-attr]
            given[one.unit, one.reply["business_date"], prefix].append((int(count), one))
    for key, issued in given.items():
        counts = sorted(count for count, _ in issued)
        doubled = [count for count, times in Counter(counts).items() if times > 1]
        if doubled:
            yield f"numbers of {key} were given twice: {doubled}"
        gaps = sorted(set(range(counts[0], counts[-1] + 1)) - set(counts))
        if len(gaps) > unknown[key[0]]:
            yield f"numbers of {key} have gaps: {gaps}, and only {unknown[key[0]]} issues are unanswered"
        yield from _in_time(key, issued)


def _in_time(key: Any, issued: list[tuple[int, Operation]]) -> Iterator[str]:
    """Whoever was answered before another asked has the smaller number."""
    highest = 0
    by_end = iter(sorted(issued, key=lambda pair: pair[1].ended))
    earlier = next(by_end, None)
    for count, one in sorted(issued, key=lambda pair: pair[1].begun):
        while earlier is not None and earlier[1].ended < one.begun:
            highest, earlier = max(highest, earlier[0]), next(by_end, None)
        if count < highest:
            yield f"numbers of {key}: {count} was given after {highest} had been acknowledged"


def once(history: Operations) -> Iterator[str]:
    """No visit is issued, called, begun or ended by two operations."""
    issued = Counter(one.reply["id"] for one in history if one.act == "issue" and one.done)
    yield from (f"visit {visit} was issued {times} times" for visit, times in issued.items() if times > 1)
    called = Counter(one.reply["id"] for one in history if one.act == "call-next" and one.done and one.reply)
    yield from (f"visit {visit} was called {times} times" for visit, times in called.items() if times > 1)
    acts = Counter((one.visit, one.act) for one in history if one.act in ONCE and one.done)
    yield from (
        f"visit {visit}: {act} was acknowledged {times} times" for (visit, act), times in acts.items() if times > 1
    )
    ends: dict[str, set[str]] = defaultdict(set)
    for visit, act in acts:
        if act != "start":
            ends[visit].add(act)
    yield from (f"visit {visit} has ended as {sorted(how)}" for visit, how in ends.items() if len(how) > 1)


def order(history: Operations, head_start: Mapping[str, float]) -> Iterator[str]:
    """A call takes the smallest issue time less head start (seconds by class) among those who certainly waited."""
    checked = _Order(history, head_start)
    for call in history:
        if call.act == "call-next" and call.done:
            yield from checked.of(call)


class _Order:
    def __init__(self, history: Operations, head_start: Mapping[str, float]) -> None:
        self._issued = {one.reply["id"]: one for one in history if one.act == "issue" and one.done}
        self._key = {
            visit: (
                datetime.fromisoformat(one.reply["issued_at"]) - timedelta(seconds=head_start[one.reply["class"]]),
                visit,
            )
            for visit, one in self._issued.items()
        }
        self._waiting: dict[str, list[str]] = defaultdict(list)
        for visit, one in self._issued.items():
            self._waiting[one.unit].append(visit)
        self._days = {
            unit: {self._issued[visit].reply["business_date"] for visit in visits}
            for unit, visits in self._waiting.items()
        }
        self._gone: dict[str, float] = {}
        self._unknown: dict[str, float] = {}
        self._serves: dict[tuple[str, str], list[tuple[float, frozenset[str]]]] = defaultdict(list)
        for one in history:
            self._learn(one)

    def _learn(self, one: Operation) -> None:
        if one.act == "open" and one.done:
            self._serves[one.unit, one.no].append((one.ended, frozenset(one.reply["services"])))
        elif one.act == "windows" and one.done:
            for window in one.reply["items"]:
                if window["state"] != "closed":
                    self._serves[one.unit, str(window["no"])].append((one.ended, frozenset(window["services"])))
        elif one.act in ("call-next", "leave") and one.possible:
            visit = one.visit or (one.reply or {}).get("id")
            if visit:
                self._gone[visit] = min(one.begun, self._gone.get(visit, inf))
            elif not one.answered:
                self._unknown[one.unit] = min(one.begun, self._unknown.get(one.unit, inf))
        elif one.visit and one.done and one.reply["status"] != "waiting":
            # Something that nobody was told of has moved it before this was answered.
            self._gone.setdefault(one.visit, -inf if one.visit not in self._issued else self._issued[one.visit].begun)

    def _served(self, call: Operation) -> frozenset[str]:
        known = [services for ended, services in sorted(self._serves[call.unit, call.no], key=lambda pair: pair[0])
                 if ended < call.begun]  # fmt: skip
        return known[-1] if known else frozenset()

    def of(self, call: Operation) -> Iterator[str]:
        services = self._served(call)
        waiting = self._waiting[call.unit]
        waiting[:] = [visit for visit in waiting if self._gone.get(visit, inf) > call.begun]
        called = call.reply["id"] if call.reply else None
        if called is None and len(self._days.get(call.unit, ())) > 1:
            return  # nobody waits any more when the day has changed
        mine = self._key.get(called) if called else None
        if called is not None and mine is None:
            return  # issued before the history began
        for visit in waiting:
            issue = self._issued[visit]
            gone = self._gone.get(visit, inf)
            certain = issue.ended < call.begun and gone > call.ended
            if gone == inf and self._unknown.get(call.unit, inf) < call.ended:
                certain = False  # a call without an answer may have taken it
            if not certain or visit == called or issue.reply["service"] not in services:
                continue
            if called is None:
                yield f"window {call.unit}/{call.no} was told that nobody waits while {issue.reply['number']} did"
            elif issue.reply["business_date"] == call.reply["business_date"] and self._key[visit] < (mine or ()):
                yield f"window {call.unit}/{call.no}: {call.reply['number']} was called before {issue.reply['number']}"


def reads(history: Operations) -> Iterator[str]:
    """Nothing that is shown of a visit is older than what any client had been told before it asked."""
    seen: dict[str, list[tuple[float, int, str, Operation]]] = defaultdict(list)
    for one in history:
        if one.done and isinstance(one.reply, dict) and "status" in one.reply and "number" in one.reply:
            version = one.reply.get("version", 1)
            seen[one.reply["id"]].append((one.ended, version, one.reply["status"], one))
    for visit, told in seen.items():
        for _, version, status, one in told:
            before = [other for other in told if other[0] < one.begun]
            if not before:
                continue
            newest = max(before, key=lambda other: other[1])
            own = any(other[3].client == one.client and other[1] > version for other in before)
            whose, last = "its own" if own else "an", newest[1]
            if version < last:
                yield f"visit {visit}: {one.client} saw version {version} after {whose} acknowledged version {last}"
            elif RANK[status] < max(RANK[other[2]] for other in before):
                yield f"visit {visit}: {one.client} saw {status} after {newest[2]}"


def faults(history: Operations, head_start: Mapping[str, float]) -> list[str]:
    """Everything that no order of effects explains."""
    return [*numbers(history), *once(history), *order(history, head_start), *reads(history)]


def sizes(history: Operations) -> dict[str, int]:
    """How much was proven, so that an empty history does not pass for a good one."""
    return {
        "operations": len(history),
        "unanswered": sum(not one.answered and one.act != "read" for one in history),
        "tickets": sum(one.act == "issue" and one.done for one in history),
        "calls": sum(one.act == "call-next" and one.done and one.reply is not None for one in history),
        "reads": sum(one.act == "read" and one.done for one in history),
        "clients": len({one.client for one in history}),
    }
