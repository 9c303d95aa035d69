"""Fixtures of the whole suite."""

from collections.abc import Iterator

import pytest

from shared.testing.kafka import Kafka, kafka_server
from shared.testing.postgres import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running PostgreSQL server."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A running Apache Kafka; a test makes topics of its own names."""
    with kafka_server() as server:
        yield server
