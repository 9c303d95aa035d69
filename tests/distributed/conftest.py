"""The distributed system, started once for the tests of this folder."""

from collections.abc import Iterator

import pytest

from services.registry import SERVICES
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.stack.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Kafka with TLS, SCRAM and ACLs, every service as API and worker, the gateway and Prometheus."""
    folder = tmp_path_factory.mktemp("stack")
    settings = Settings(data=folder / "data", PORT=free_port())
    with Stack(list(SERVICES), settings, say=print, secured=True) as running:
        yield running
