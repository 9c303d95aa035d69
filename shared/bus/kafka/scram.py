"""Kafka's request to set SCRAM credentials (KIP-554), which aiokafka does not know."""

from collections.abc import Sequence
from typing import ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

SCRAM_SHA_512 = 2

Upsert = tuple[str, int, int, bytes, bytes, dict[int, bytes]]
"""Name, mechanism, iterations, salt, salted password (RFC 5802's SaltedPassword), no tags."""


class AlterScramResponse(Response):
    """A code and words for each name."""

    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScramV0(RequestStruct):
    """Credentials to delete, and to set."""

    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = AlterScramResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScram(Request[AlterScramV0]):
    """What the client sends."""

    API_KEY: ClassVar[int] = 51

    def __init__(self, upserts: Sequence[Upsert]) -> None:
        self._upserts = list(upserts)

    def build(self, request_struct_class: type[AlterScramV0]) -> AlterScramV0:
        """The request; nobody is deleted."""
        return request_struct_class([], self._upserts, {})
