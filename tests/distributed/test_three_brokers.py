"""Three brokers, two copies of what is acknowledged: one may die unnoticed, two may die and nothing is lost."""

import asyncio
import contextlib
import subprocess
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from shared.bus.kafka.bus import KafkaBus
from shared.bus.partitioning import partition_of
from shared.contracts.staff import PersonState
from shared.events.handlers import react
from shared.ids import uuid7
from shared.testing.cluster import NODES, three_nodes
from shared.testing.source import ROOT
from shared.testing.stack.servers import program
from shared.testing.system import system
from shared.testing.tally.spec import SPEC
from shared.testing.tally.tables import LOG, LOGGED
from shared.topics import TOPICS

CLIENTS = 8
TOPIC = PersonState.topic
BACK_WITHIN = 15.0
ECHO = 1_000_000
"""Added to an event's sequence where its effect is written, so that it is told from the additions themselves."""


@react(PersonState, max_age=timedelta(days=2))
async def echo(uow, event):
    """One row for each event, in the order of their effects."""
    await uow.write(LOG, name=event.subject, amount=ECHO + event.sequence)


class Load:
    """Clients that write over HTTP, one a subject, each after its last reply; and the effects that came of it."""

    def __init__(self, running):
        self.running = running
        # The log keeps what earlier tests wrote: subjects are this test's own.
        self.subjects = [uuid7() for _ in range(CLIENTS)]
        self.acknowledged = dict.fromkeys(self.subjects, 0)
        self.slowest = 0.0

    async def write(self, subject):
        """One write, whose reply is a promise."""
        begun = time.monotonic()
        await self.running.call(
            "POST", f"/tally/v1/totals/{subject}/additions", "teller", json={"amount": 1}, expect=201
        )
        self.acknowledged[subject] += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)

    @contextlib.asynccontextmanager
    async def going_on(self):
        """All clients at once, until the block ends."""
        stop = asyncio.Event()

        async def speak(subject):
            while not stop.is_set():
                await self.write(subject)
                await asyncio.sleep(0.02)

        speaking = [asyncio.create_task(speak(subject)) for subject in self.subjects]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*speaking)

    async def effects(self):
        """Sequences by subject in the order in which they had their effect."""
        rows = await self.running.runtime("tally").db.read(lambda reads: reads.all(LOGGED))
        found = defaultdict(list)
        for row in rows:
            if row.amount > ECHO and row.name in self.acknowledged:
                found[row.name].append(row.amount - ECHO)
        return found

    async def reached(self, counts, seconds):
        """Wait until each subject has had so many effects; how long that took."""
        begun = time.monotonic()
        async with asyncio.timeout(seconds):
            while True:
                found = await self.effects()
                if all(len(found[subject]) >= count for subject, count in counts.items()):
                    return time.monotonic() - begun
                await asyncio.sleep(0.1)

    async def settled(self, seconds=60.0):
        """Every acknowledged write has had its one effect, in order, and there is no other."""
        await self.reached(self.acknowledged, seconds)
        found = await self.effects()
        assert found == {subject: list(range(1, count + 1)) for subject, count in self.acknowledged.items()}

    async def waiting(self, events):
        """Wait until the outbox holds so many."""
        async with asyncio.timeout(60):
            while (await self.flow())["outbox_waiting"] < events:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.1)

    async def flow(self):
        """What waits."""
        return (await self.running.call("GET", "/operator/v1/tally/flow", "operator", expect=200)).json()


@pytest.fixture(scope="module")
def cluster():
    """Three nodes."""
    with three_nodes() as made:
        yield made


@pytest.fixture
async def load(cluster, tmp_path):
    """A service on the cluster that hears itself."""
    await cluster.make_for_real(TOPICS)
    bus = KafkaBus(cluster.connection())
    listening = replace(SPEC, handlers=(echo,), directory=False)
    async with system([listening], tmp_path, bus=bus, loops=True) as running:
        made = Load(running)
        for subject in made.subjects:
            await made.write(subject)
        await made.settled()
        yield made


def alerts(tmp_path: Path, oldest: float) -> bool:
    """Whether our rules fire OutboxStuck for an outbox whose oldest event has this age for five minutes."""
    labels = {"alertname": "OutboxStuck", "alertstate": "firing", "severity": "page", "service": "tally"}
    series = "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
    rules = [str(path) for path in sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))]
    test = {
        "rule_files": rules,
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'wangdian_outbox_oldest_seconds{service="tally"}', "values": f"{oldest}x5"},
                ],
                "promql_expr_test": [
                    {
                        "expr": 'ALERTS{alertname="OutboxStuck", alertstate="firing"}',
                        "eval_time": "5m",
                        "exp_samples": [{"labels": series, "value": 1}],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "alert.yml"
    file.write_text(yaml.safe_dump(test))
    command = [program("promtool", "prometheus"), "test", "rules", str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def oldest(load: Load) -> float:
    """The exported age of the oldest event that waits."""
    text = (await load.running.client.get("/metrics")).text
    (line,) = [one for one in text.splitlines() if one.startswith("wangdian_outbox_oldest_seconds{")]
    return float(line.rpartition(" ")[2])


async def test_the_leader_killed_under_load_loses_and_doubles_nothing(cluster, load):
    leader = await cluster.leader(TOPIC, partition_of(load.subjects[0], 3))
    async with load.going_on():
        await asyncio.sleep(1.0)
        await asyncio.to_thread(cluster.nodes[leader].kill)
        # What is written from now on, on every partition, has its effect again within the promised time.
        wanted = {subject: count + 1 for subject, count in load.acknowledged.items()}
        back = await load.reached(wanted, 60.0)
        await asyncio.to_thread(cluster.start, [leader])
        await load.reached({s: n + 5 for s, n in load.acknowledged.items()}, 60.0)
    await load.settled()
    assert back < BACK_WITHIN
    assert load.slowest < 5.0, "no client waits for the bus"
    assert await cluster.leader(TOPIC, partition_of(load.subjects[0], 3)) in NODES


async def test_with_two_dead_writes_go_on_and_drain_in_order_when_they_return(cluster, load, tmp_path):
    assert not alerts(tmp_path, await oldest(load))
    first, second = NODES[:2]
    for number in (first, second):
        await asyncio.to_thread(cluster.nodes[number].kill)
    async with load.going_on():
        await load.waiting(50 * CLIENTS)
    before = await load.effects()
    load.running.clock.advance(timedelta(seconds=90))
    assert alerts(tmp_path, await oldest(load)), "the alert must say so"
    assert (await load.running.client.get("/livez")).status_code == 200
    assert (await load.running.client.get("/readyz")).status_code == 200
    assert load.slowest < 5.0, "no client waits for the bus"
    assert await load.effects() == before
    await asyncio.to_thread(cluster.start, [first, second])
    await load.settled()
    assert (await load.flow())["outbox_waiting"] == 0
    assert not alerts(tmp_path, await oldest(load))
