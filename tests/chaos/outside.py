"""What came of a distributed system, seen from outside: by HTTP, and by reading Kafka with a client of its own."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiokafka
import httpx

from services.registry import SERVICES
from shared.testing.stack.stack import PARTITIONS, Stack
from shared.topics import TOPICS
from tests.chaos.recorder import Sent

END = {"queue.visit.completed.v1": "served", "queue.visit.no_show.v1": "no_show", "queue.visit.abandoned.v1": "left"}


@dataclass
class Told:
    """Everything on the topics: by subject its events by sequence, and how many records told one again."""

    events: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    again: int = 0
    wrong: list[str] = field(default_factory=list)

    def of(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(subject, data) of each event of these types, once."""
        for subject, sequences in self.events.items():
            for event in sequences.values():
                if event["type"] in types:
                    yield subject.partition(" ")[2], event["data"]

    def add(self, headers: dict[str, str], value: bytes) -> None:
        """One record: its sequence follows the one before, or it is the very event that had this sequence before."""
        subject = f"{headers['ce_source']} {headers['ce_subject']}"
        sequence, known = int(headers["ce_sequence"]), self.events[subject]
        event = {"id": headers["ce_id"], "type": headers["ce_type"], "data": json.loads(value)}
        if sequence in known:
            self.again += 1
            if known[sequence] != event:
                self.wrong.append(f"{subject}: two events are number {sequence}")
        elif sequence != len(known) + 1:
            self.wrong.append(f"{subject}: {sequence} was told after {len(known)}")
        known.setdefault(sequence, event)


async def told(stack: Stack) -> Told:
    """Read every topic from its beginning to its end."""
    assert stack.kafka is not None
    found = Told()
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=stack.kafka.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [aiokafka.TopicPartition(topic.name, number) for topic in TOPICS for number in range(PARTITIONS)]
        ends = await consumer.end_offsets(parts)
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        for part in parts:
            while await consumer.position(part) < ends[part]:
                for records in (await consumer.getmany(part, timeout_ms=1000)).values():
                    for record in records:
                        found.add({name: value.decode() for name, value in record.headers}, record.value or b"{}")
    finally:
        # Its own task, cancelled before it has begun, comes out of stop() as if this one were cancelled.
        with suppress(asyncio.CancelledError):
            await consumer.stop()
    return found


async def compare(stack: Stack, writes: list[Sent], found: Told) -> tuple[list[str], list[str]]:
    """(lost, doubled): acknowledged writes against events, events against invitations and figures."""
    replies = [(write, json.loads(write.reply)) for write in writes if write.reply]
    issued = [reply["id"] for write, reply in replies if write.path.endswith("/tickets")]
    opened = [subject for subject, _ in found.of("queue.visit.opened.v1")]
    lost = [f"visit {visit} was never told" for visit in set(issued) - set(opened)]
    doubled = [f"visit {visit} was issued for nobody" for visit in set(opened) - set(issued)]
    doubled += [f"visit {visit} was issued twice" for visit in set(issued) if issued.count(visit) > 1]
    ended = {visit: END[kind] for kind in END for visit, _ in found.of(kind)}
    for write, reply in replies:
        if write.path.endswith(("/finish", "/no-show", "/leave")) and ended.get(reply["id"]) != reply["status"]:
            lost.append(f"visit {reply['id']}: {reply['status']} was acknowledged, {ended.get(reply['id'])} was told")
    invited: dict[str, set[str]] = defaultdict(set)
    for subject, data in found.of("surveys.invitation.sent.v1"):
        invited[data["visit"]].add(subject)
    served = {visit for visit, how in ended.items() if how == "served"}
    lost += [f"served visit {visit} was not invited" for visit in served - invited.keys()]
    doubled += [f"visit {visit} was invited {len(ids)} times" for visit, ids in invited.items() if len(ids) > 1]
    doubled += [f"visit {visit} was invited and not served" for visit in invited.keys() - served]
    answered = sum(1 for _ in found.of("surveys.response.submitted.v1"))
    given = sum(write.path.endswith("/response") for write in writes)
    lost += [f"{given - answered} responses"] * (answered < given)
    doubled += [f"{answered - given} responses"] * (answered > given)
    days = sorted({data["business_date"] for _, data in found.of("queue.visit.opened.v1")})
    wanted = {
        "visits.opened": len(opened),
        "visits.served": len(served),
        "visits.no_show": sum(how == "no_show" for how in ended.values()),
        "visits.abandoned": sum(how == "left" for how in ended.values()),
        "survey.invitation_rate": len(invited),
        "survey.response_rate": answered,
    }
    for metric, count in wanted.items():
        shown = await _figure(stack, metric, days[0], days[-1])
        lost += [f"{metric} shows {shown} of {count}"] * (shown < count)
        doubled += [f"{metric} shows {shown}, there were {count}"] * (shown > count)
    return lost, doubled


async def _figure(stack: Stack, metric: str, first: str, last: str) -> int:
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as client:
        reply = await client.get(
            f"/aggregator/v1/metrics/{metric}",
            params={"unit": "hq", "from": first, "to": last, "by": "total"},
            headers={"Authorization": f"Bearer {stack.token('head_office')}"},
        )
    return sum(round(point["numerator"] or 0) for point in reply.raise_for_status().json()["points"])


async def flows(stack: Stack) -> dict[str, Any]:
    """What the operator sees of each service; a service that does not answer is absent."""
    found = {}
    async with httpx.AsyncClient(base_url=stack.operations, timeout=10) as client:
        headers = {"Authorization": f"Bearer {stack.token('operator')}"}
        for name in SERVICES:
            reply = await client.get(f"/operator/v1/{name}/flow", headers=headers)
            if reply.is_success:
                found[name] = reply.json()
    return found


async def audits(stack: Stack) -> list[str]:
    """What is wrong with the audit logs."""
    async with httpx.AsyncClient(base_url=stack.operations, timeout=60) as client:
        headers = {"Authorization": f"Bearer {stack.token('auditor')}"}
        replies = [await client.get(f"/operator/v1/{name}/audit/verify", headers=headers) for name in SERVICES]
    reports = [reply.raise_for_status().json() for reply in replies]
    return [f"audit of {report['service']}: {report['findings']}" for report in reports if not report["ok"]]
