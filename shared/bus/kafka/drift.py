"""Topics as they are against topics as declared: what differs, and what to do about each."""

from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.bus.base import BusUnavailable
from shared.bus.kafka.connection import KafkaConnection
from shared.bus.kafka.topics import TIMEOUT, TopicInfo, Topics
from shared.topics import Topic

Difference = tuple[str, str]
"""What differs, and the cure."""


async def differences(
    connection: KafkaConnection, topics: Sequence[Topic], *, replication: int = 1, partitions: int | None = None
) -> list[Difference]:
    """Everything about ``topics`` that is not as declared; ``partitions`` instead of the declared numbers if given.

    Raises :class:`BusUnavailable` when the cluster does not answer, or does not show us the settings.
    """
    asking = Topics(connection)
    try:
        there = await asking.describe(topic.name for topic in topics)
    finally:
        await asking.close()
    settings = await _settings(connection, sorted(there))
    found: list[Difference] = []
    for topic in topics:
        if topic.name not in there:
            found.append((f"topic {topic.name} is missing", "`wangdian provision`"))
            continue
        found += _shape(topic.name, there[topic.name], partitions or topic.partitions, replication)
        found += _setting(topic, settings[topic.name], replication)
    return found


def _shape(name: str, found: TopicInfo, partitions: int, replication: int) -> list[Difference]:
    told = []
    if len(found.leaders) != partitions:
        cure = "make the topic anew: keys would change their partition, and a subject's events their order"
        told.append((f"topic {name} has {len(found.leaders)} partitions, not {partitions}", cure))
    if found.copies != replication:
        cure = "kafka-reassign-partitions.sh with as many replicas, then the settings that follow from them"
        told.append((f"topic {name} keeps {found.copies} copies, not {replication}", cure))
    return told


def _setting(topic: Topic, found: dict[str, str], replication: int) -> list[Difference]:
    told = []
    for key, wanted in topic.settings(replication).items():
        if found.get(key) != wanted:
            cure = (
                f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --add-config {key}={wanted}"
            )
            told.append((f"topic {topic.name}: {key} is {found.get(key)}, not {wanted}", cure))
    return told


async def _settings(connection: KafkaConnection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    admin = AIOKafkaAdminClient(**connection.options())
    await connection.start("connect", TIMEOUT, admin.start(), admin.close)
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        replies: list[Any] = await connection.bounded("settings", TIMEOUT * 2, admin.describe_configs(wanted))
    finally:
        await connection.dispose(admin.close())
    found = {}
    for reply in replies:
        for code, words, _, name, entries in reply.resources:
            if code:
                raise BusUnavailable(f"settings of {name}: {for_code(code).__name__} {words or ''}".rstrip())
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found
