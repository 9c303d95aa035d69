"""Principals and rights on the cluster: what is declared is granted, and what is not is taken away."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request

from shared.bus.base import BusUnavailable
from shared.bus.kafka.connection import KafkaConnection
from shared.bus.kafka.scram import SCRAM_SHA_512, AlterScram, Upsert
from shared.bus.rights import Right
from shared.ids import token128

TIMEOUT = 10.0
ITERATIONS: Final = 8192
RESOURCES: Final[Mapping[str, int]] = {"topic": 2, "group": 3}
PATTERNS: Final[Mapping[str, int]] = {"literal": 3, "prefixed": 4}
OPERATIONS: Final[Mapping[str, int]] = {"read": 3, "write": 4}
ALLOW, ANY, ANY_HOST = 3, 1, "*"

_Binding = tuple[int, str, int, str, str, int, int]


class Changes(NamedTuple):
    """What granting the declared rights changed; ``removed`` in Kafka's own numbers, as they may be of any kind."""

    added: Sequence[Right]
    removed: Sequence[_Binding]


class _Describe(Request[DescribeAclsRequest_v1]):
    API_KEY = 29

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(ANY, None, ANY, None, None, ANY, ANY)


class _Create(Request[CreateAclsRequest_v1]):
    API_KEY = 30

    def __init__(self, bindings: Sequence[_Binding]) -> None:
        self._bindings = bindings

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(list(self._bindings))


class _Delete(Request[DeleteAclsRequest_v1]):
    API_KEY = 31

    def __init__(self, bindings: Sequence[_Binding]) -> None:
        self._bindings = bindings

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        return request_struct_class(list(self._bindings))


async def compare(connection: KafkaConnection, wanted: Sequence[Right], principals: Collection[str]) -> Changes:
    """What :func:`grant` would change."""
    client = await _connected(connection)
    try:
        return _differing(wanted, await _bindings(connection, client, principals))
    finally:
        await connection.dispose(client.close())


async def grant(connection: KafkaConnection, wanted: Sequence[Right], principals: Collection[str]) -> Changes:
    """Make the rights of ``principals`` exactly ``wanted``; those of others stay as they are.

    Raises :class:`BusUnavailable` with Kafka's words when the cluster does not answer or refuses.
    """
    client = await _connected(connection)
    try:
        changes = _differing(wanted, await _bindings(connection, client, principals))
        if changes.added:
            reply = await _ask(connection, client, _Create([_binding(right) for right in changes.added]))
            _check("rights", ((code, words) for code, words in reply.creation_responses))
        if changes.removed:
            reply = await _ask(connection, client, _Delete(changes.removed))
            _check("rights", ((code, words) for code, words, _ in reply.filter_responses))
    finally:
        await connection.dispose(client.close())
    return changes


def _differing(wanted: Sequence[Right], there: frozenset[_Binding]) -> Changes:
    declared = {_binding(right): right for right in wanted}
    missing = [right for binding, right in declared.items() if binding not in there]
    return Changes(missing, sorted(there - declared.keys()))


async def set_passwords(connection: KafkaConnection, passwords: Mapping[str, str]) -> None:
    """Let these principals in by SCRAM with these passwords, new ones or instead of the ones they have."""
    upserts: list[Upsert] = []
    for name, password in sorted(passwords.items()):
        salt = token128().encode()
        salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
        upserts.append((name, SCRAM_SHA_512, ITERATIONS, salt, salted, {}))
    client = await _connected(connection)
    try:
        reply = await _ask(connection, client, AlterScram(upserts))
    finally:
        await connection.dispose(client.close())
    _check("passwords", ((code, words) for _, code, words, _ in reply.results))


async def _bindings(
    connection: KafkaConnection, client: AIOKafkaClient, principals: Collection[str]
) -> frozenset[_Binding]:
    reply = await _ask(connection, client, _Describe())
    _check("rights", [(reply.error_code, reply.error_message)])
    ours = {f"User:{name}" for name in principals}
    return frozenset(
        (resource, name, pattern, principal, host, operation, permission)
        for resource, name, pattern, acls in reply.resources
        for principal, host, operation, permission in acls
        if principal in ours
    )


def _binding(right: Right) -> _Binding:
    return (
        RESOURCES[right.resource],
        right.name,
        PATTERNS[right.pattern],
        f"User:{right.principal}",
        ANY_HOST,
        OPERATIONS[right.operation],
        ALLOW,
    )


def _check(what: str, outcomes: Any) -> None:
    for code, words in outcomes:
        if code:
            raise BusUnavailable(f"{what}: {for_code(code).__name__} {words or ''}".rstrip())


async def _connected(connection: KafkaConnection) -> AIOKafkaClient:
    client = AIOKafkaClient(**connection.options())
    await connection.start("connect", TIMEOUT, client.bootstrap(), client.close)
    return client


async def _ask(connection: KafkaConnection, client: AIOKafkaClient, request: Request[Any]) -> Any:
    async def ask() -> Any:
        # Any broker takes these, and passes on to the controller what is its business.
        for node in sorted(broker.nodeId for broker in client.cluster.brokers()):
            if await client.ready(node):
                return await client.send(node, request)
        raise BusUnavailable("no broker answers")

    return await connection.bounded(type(request).__name__.strip("_").lower(), TIMEOUT, ask())
