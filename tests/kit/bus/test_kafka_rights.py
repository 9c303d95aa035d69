"""Each service writes and reads what it declares and nothing else, and what refuses it is said aloud."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from services.commands.provision import apply
from services.registry import SERVICES
from shared.bus.base import BusForbidden, BusUnavailable, Message
from shared.bus.kafka.access import grant, set_passwords
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.topics import Topics, create
from shared.bus.rights import Right, rights
from shared.testing.secured import secured_kafka_server, write_passwords
from shared.testing.source import ROOT
from shared.testing.system import system
from shared.testing.tally.spec import SPEC
from shared.topics import TOPICS, Topic
from tests.kit.test_runtime import tell, until

ALL = frozenset(topic.name for topic in TOPICS)
AUDIT = "audit.checkpoints"
WRITES = {
    "staff": {"staff.directory", AUDIT},
    "queue": {"queue.events", AUDIT},
    "surveys": {"surveys.events", AUDIT},
    "aggregator": {AUDIT},
}
READS = {
    "staff": {AUDIT},
    "queue": {"staff.directory", AUDIT},
    "surveys": {"staff.directory", "queue.events", AUDIT},
    "aggregator": {"staff.directory", "queue.events", "surveys.events", AUDIT},
}
"""Said once more by hand: a service that begins to read or write another topic is a decision, not an accident."""


@pytest.fixture(scope="module")
def passwords(tmp_path_factory):
    """(folder, passwords of the services)."""
    folder = tmp_path_factory.mktemp("passwords")
    return folder, write_passwords(folder, list(SERVICES))


@pytest.fixture(scope="module")
def cluster():
    """A server that knows nobody but its administrator."""
    with secured_kafka_server() as server:
        yield server


@pytest.fixture
async def provisioned(cluster, passwords):
    """The server with topics, principals and rights as declared."""
    link = cluster.connection()
    await apply(link, partitions=1, passwords=passwords[1])
    await link.drain()
    return cluster


@pytest.fixture
async def bus_of(provisioned, passwords):
    """Opens the bus of a service."""
    buses = []

    async def make(service):
        bus = KafkaBus(provisioned.connection(service, passwords[1][service]))
        buses.append(bus)
        await bus.open()
        return bus

    yield make
    for bus in buses:
        await bus.close()


async def nothing(sources):
    """No stored position."""
    return {}


def message(topic, key="a"):
    return Message(topic, key, {"n": "1"}, b"1")


def test_the_committed_file_says_the_same():
    declared = yaml.safe_load((ROOT / "deploy/kafka/acls.yaml").read_text())
    topics = {(r["principal"], r["operation"], r["name"]) for r in declared if r["resource"] == "topic"}
    assert topics == {(f"User:{s}", "write", t) for s in SERVICES for t in WRITES[s]} | {
        (f"User:{s}", "read", t) for s in SERVICES for t in READS[s]
    }
    groups = {(r["principal"], r["name"], r["pattern"]) for r in declared if r["resource"] == "group"}
    assert groups == {(f"User:{s}", s, "literal") for s in SERVICES} | {
        (f"User:{s}", f"{s}.", "prefixed") for s in SERVICES
    }


@pytest.mark.parametrize("service", list(SERVICES))
async def test_a_service_writes_its_own_topics_only(bus_of, service):
    bus = await bus_of(service)
    for topic in sorted(ALL):
        (outcome,) = await bus.publish([message(topic)])
        if topic in WRITES[service]:
            assert outcome is None, topic
        else:
            assert isinstance(outcome, BusForbidden), topic
            assert (outcome.operation, outcome.names) == ("write", (topic,))


@pytest.mark.parametrize("service", list(SERVICES))
async def test_a_service_reads_what_it_declares_only(bus_of, service):
    for writer, topics in WRITES.items():
        bus = await bus_of(writer)
        assert set(await bus.publish([message(topic) for topic in topics])) == {None}
    bus = await bus_of(service)
    for topic in sorted(ALL):
        if topic in READS[service]:
            member = await bus.subscribe(f"{service}.test", [topic], nothing)
            assert sum(len(batch.records) for batch in await member.fetch(limit=10, wait=0)) >= 1
            await member.close()
        else:
            # Its own topic it may see and not read; another's it does not even see.
            with pytest.raises(BusForbidden, match=topic) as refusal:
                await (await bus.subscribe(f"{service}.test", [topic], nothing)).fetch(limit=10, wait=2)
            assert refusal.value.operation == ("read" if topic in WRITES[service] else "see")


async def test_a_service_joins_its_own_groups_only(bus_of):
    bus = await bus_of("surveys")
    with pytest.raises(BusForbidden, match="not authorised to join queue"):
        await bus.subscribe("queue", ["staff.directory"], nothing)


async def test_a_refused_message_holds_up_no_other(bus_of):
    bus = await bus_of("surveys")
    sent = [message("queue.events"), message("surveys.events"), message("staff.directory"), message(AUDIT)]
    outcomes = await bus.publish(sent)
    assert [type(outcome) for outcome in outcomes] == [BusForbidden, type(None), BusForbidden, type(None)]


async def test_a_service_makes_no_topics(provisioned, passwords):
    link = provisioned.connection("queue", passwords[1]["queue"])
    with pytest.raises(BusUnavailable, match="TopicAuthorizationFailed"):
        await create(link, [Topic("queue.mine", 1, 14)])
    await link.drain()


async def test_provisioning_again_changes_nothing_and_takes_away_what_is_not_declared(provisioned, passwords):
    link = provisioned.connection()
    assert await apply(link) == []
    stray = Right("surveys", "topic", "queue.", "prefixed", "write")
    others = Right("exports", "topic", "queue.events", "literal", "read")
    assert (await grant(link, [others], ["exports"])).added == [others]
    assert (await grant(link, [stray], [])).added == [stray]
    assert await apply(link) == ["taken away: User:surveys on queue."]
    assert (await grant(link, [others], ["exports"])) == ([], [])
    await link.drain()


async def test_a_running_service_without_rights_says_so_until_they_are_granted(
    provisioned, passwords, tmp_path, capsys
):
    """It writes what it does not declare: log, metric and readiness tell it; once granted it goes on by itself."""
    careless = replace(SPEC, produces=(), handlers=(), directory=False)
    link = provisioned.connection()
    await set_passwords(link, {"tally": passwords[1]["queue"]})
    await grant(link, rights([careless]), ["tally"])
    bus = KafkaBus(provisioned.connection("tally", passwords[1]["queue"]))
    async with system([careless], tmp_path, bus=bus, loops=True) as running:
        await tell(running)

        async def unready():
            reply = await running.client.get("/readyz")
            return reply.status_code == 503 and reply.json()["failed"] == {"tally.rights": "BusForbidden"}

        await until(unready)
        metrics = (await running.client.get("/metrics")).text
        assert 'wangdian_loop_failing{loop="relay",service="tally"} 1.0' in metrics
        assert (await running.call("GET", "/operator/v1/tally/flow", "operator")).json()["outbox_waiting"] >= 1
        assert (await running.client.get("/livez")).status_code == 200
        await grant(link, rights([replace(careless, produces=("staff.directory",))]), ["tally"])

        async def sent():
            flow = (await running.call("GET", "/operator/v1/tally/flow", "operator")).json()
            return not flow["outbox_waiting"] and (await running.client.get("/readyz")).status_code == 200

        await until(sent)
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "bus_forbidden" in line]
    assert [(line["level"], line["operation"], line["topic"]) for line in said] == [
        ("error", "write", ["staff.directory"])
    ]
    await link.drain()


def provision(server, *arguments):
    told = subprocess.run(
        [sys.executable, "-m", "services", "provision", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python'}", "WANGDIAN_MODE": "distributed",
             "WANGDIAN_DATABASE_URL": "unused", "WANGDIAN_JWKS": "unused", **server.environment("admin")},
    )  # fmt: skip
    return told.returncode, told.stdout + told.stderr


def test_the_command_refuses_passwords_that_are_missing_short_or_shared(cluster, passwords, tmp_path):
    write_passwords(tmp_path, [name for name in SERVICES if name != "queue"])
    code, said = provision(cluster, "--passwords", str(tmp_path))
    assert code == 2 and "holds the password of queue" in said
    (tmp_path / "queue").write_text("changeme")
    code, said = provision(cluster, "--passwords", str(tmp_path))
    assert code == 2 and "shorter than 16" in said and "changeme" not in said
    (tmp_path / "queue").write_text((tmp_path / "staff").read_text())
    code, said = provision(cluster, "--passwords", str(tmp_path))
    assert code == 2 and "two services have one password" in said


async def test_what_differs_from_the_declaration_is_a_red_line_with_its_cure(cluster, passwords):
    link = cluster.connection()
    await apply(link, partitions=1, passwords=passwords[1])
    options = ["--partitions", "1", "--check"]
    assert await asyncio.to_thread(provision, cluster, *options) == (0, "nothing to do: all is as declared\n")
    await cluster.remove("surveys.events", "queue.events")
    await asyncio.to_thread(eventually_gone, cluster, "queue.events")
    await create(link, [Topic("queue.events", 2, 3, compacted=True)])
    await grant(link, [Right("surveys", "topic", "staff.directory", "literal", "write")], [])
    code, said = await asyncio.to_thread(provision, cluster, *options, "--replication", "3")
    assert code == 1
    lines = said.splitlines()
    assert all(line.startswith("RED ") and " -> " in line for line in lines)
    for part in (
        "surveys.events is missing",
        "queue.events has 2 partitions, not 1",
        "queue.events keeps 1 copies, not 3",
        "queue.events: cleanup.policy is compact, not delete",
        "queue.events: retention.ms is 259200000, not 1209600000",
        "staff.directory: min.insync.replicas is 1, not 2",
        "User:surveys has a right on staff.directory that is not declared",
    ):
        assert [line for line in lines if part in line], (part, said)
    await cluster.remove("queue.events")
    await asyncio.to_thread(eventually_gone, cluster, "queue.events")
    await apply(link, partitions=1, passwords=passwords[1])
    assert await asyncio.to_thread(provision, cluster, *options) == (0, "nothing to do: all is as declared\n")
    await link.drain()


def eventually_gone(cluster, topic):
    """Kafka removes a topic a moment after it has said so."""

    async def wait():
        asking = Topics(cluster.connection())
        async with asyncio.timeout(20):
            while topic in await asking.describe([topic]):  # noqa: ASYNC110 - what the cluster says
                await asyncio.sleep(0.1)
        await asking.close()

    asyncio.run(wait())


def test_the_command_does_it(cluster, passwords):
    code, said = provision(cluster, "--partitions", "1", "--passwords", str(passwords[0]))
    assert code == 0 and "passwords set: aggregator, queue, staff, surveys" in said
    assert not any(password in said for password in passwords[1].values())
