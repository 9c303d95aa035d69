"""Fixtures of the whole suite."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from shared.testing.kafka import Kafka, kafka_server
from shared.testing.postgres import postgres_server
from shared.testing.process import RunningSystem
from tests.chaos.warm import Warm

# Seconds say nothing on a shared machine: speed is the bench's matter, and an example may take what it takes.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")


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


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """A process with everything imported, from which the command and the whole system are forked."""
    with Warm() as process:
        yield process


@pytest.fixture
def running(warm: Warm, tmp_path) -> Iterator[RunningSystem]:
    """The whole system as a process of its own; not started yet, and gone after the test."""
    with RunningSystem(tmp_path, start=warm.launch) as found:
        yield found
