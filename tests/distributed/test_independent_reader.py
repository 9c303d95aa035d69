"""Clients that are not ours read our topics: Kafka's console consumer, and the SDK of the CloudEvents project.

None of our code lies between the broker and the assertion: the consumer prints what the record holds, the SDK makes an
event of it, and the committed JSON Schema that the event itself names judges its data.
"""

import json
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator, FormatChecker

from shared.testing.kafka import jars, java, properties
from shared.testing.secured import SecuredKafka
from shared.testing.source import ROOT
from shared.testing.stack.stack import Stack
from shared.topics import TOPICS
from tests.distributed.poison import SENT

SCHEMAS = ROOT / "docs" / "schemas"
TOLD = {
    "queue.visit.opened.v1",
    "queue.visit.called.v1",
    "queue.visit.started.v1",
    "queue.visit.completed.v1",
    "queue.window.opened.v1",
    "staff.unit.changed.v1",
    "staff.person.changed.v1",
    "surveys.invitation.sent.v1",
    "audit.checkpoint.v1",
}
"""What a demo day tells, at the least."""


class Printed(NamedTuple):
    """A record as the console consumer shows it, and the event that the SDK reads in it."""

    place: tuple[str, int]
    key: str
    event: CloudEvent


PATIENCE_MS = (3_000, 15_000, 45_000)
"""The consumer ends after so long without a record, also when it could not begin yet on a busy machine."""


def console(kafka: SecuredKafka, folder: Path) -> list[str]:
    """Everything on our topics, a line a record: partition, headers, key, value, by tabs; headers by bars."""
    for patience in PATIENCE_MS:
        lines = _console(kafka, folder, patience)
        if {line.partition("\t")[0] for line in lines} == {topic.name for topic in TOPICS}:
            break
    return lines


def _console(kafka: SecuredKafka, folder: Path, patience: int) -> list[str]:
    marks = {
        "TLS": str(kafka.ca.parent),
        "USER": "admin",
        "PASSWORD": kafka.environment("admin")["WANGDIAN_KAFKA_PASSWORD"],
    }
    (folder / "client.properties").write_text(properties(["client"], marks))
    lines = []
    for topic in TOPICS:
        shown = [f"--formatter-property=print.{part}=true" for part in ("partition", "headers", "key")]
        read = subprocess.run(
            [java(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", f"{jars()}/*",
             "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", kafka.bootstrap,
             "--command-config", str(folder / "client.properties"), "--topic", topic.name, "--from-beginning",
             "--timeout-ms", str(patience), "--formatter-property=headers.separator=|", *shown],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "Authorization" not in read.stderr, read.stderr
        lines += [f"{topic.name}\t{line}" for line in read.stdout.splitlines() if line.startswith("Partition:")]
    return lines


@pytest.fixture(scope="module")
def printed(used: Stack, tmp_path_factory: pytest.TempPathFactory) -> list[Printed]:
    """Every record on our topics after a day of the demo."""
    assert isinstance(used.kafka, SecuredKafka)
    found = []
    for line in console(used.kafka, tmp_path_factory.mktemp("console")):
        topic, partition, headers, key, value = line.split("\t")
        if key in SENT:
            continue
        pairs = (header.split(":", 1) for header in headers.split("|"))
        message = KafkaMessage({name: text.encode() for name, text in pairs}, key.encode(), value.encode())
        # Raises unless the attributes are those of CloudEvents 1.0.
        event = from_binary_event(message)
        assert isinstance(event, CloudEvent)
        found.append(Printed((topic, int(partition.partition(":")[2])), key, event))
    return found


def test_each_record_is_a_cloud_event_whose_data_fit_its_schema(printed: list[Printed]) -> None:
    validators: dict[str, Draft202012Validator] = {}
    for record in printed:
        event = record.event
        kind, schema = event.get_type(), event.get_dataschema()
        assert event.get_specversion() == "1.0"
        assert event.get_datacontenttype() == "application/json"
        assert schema is not None and schema.endswith(f"/{kind}.json")
        if kind not in validators:
            text = (SCHEMAS / f"{kind}.json").read_text(encoding="utf-8")
            validators[kind] = Draft202012Validator(json.loads(text), format_checker=FormatChecker())
        assert [error.message for error in validators[kind].iter_errors(event.get_data())] == []
    assert validators.keys() >= TOLD


def test_each_is_where_its_envelope_says_and_none_is_there_twice(printed: list[Printed]) -> None:
    ids = Counter((record.event.get_source(), record.event.get_id()) for record in printed)
    assert [key for key, count in ids.items() if count > 1] == []
    places = defaultdict(set)
    sequences = defaultdict(list)
    for record in printed:
        event = record.event
        assert record.key == event.get_subject() == event.get_extension("partitionkey")
        source, topic = event.get_source(), record.place[0]
        assert topic == "audit.checkpoints" or topic.split(".")[0] == source.removeprefix("/services/")
        assert event.get_time() is not None and event.get_time().utcoffset() is not None
        places[topic, record.key].add(record.place)
        sequences[topic, source, record.key].append(int(event.get_extension("sequence")))
    assert all(len(found) == 1 for found in places.values()), "a subject lives in one partition"
    for key, found in sequences.items():
        assert found == sorted(found), key
