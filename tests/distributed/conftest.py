"""The distributed system, started once for the tests of this folder."""

import re
from collections.abc import Iterator

import pytest

from services.registry import SERVICES
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.source import ROOT
from shared.testing.stack.stack import Stack
from tests.distributed.tools import wangdian


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Kafka with TLS, SCRAM and ACLs, every service as API and worker, the gateway and Prometheus."""
    folder = tmp_path_factory.mktemp("stack")
    settings = Settings(data=folder / "data", PORT=free_port())
    with Stack(list(SERVICES), settings, say=print, secured=True) as running:
        yield running


@pytest.fixture(scope="session")
def used(stack: Stack) -> Stack:
    """The system with the example bank, some customers and a day of history."""
    assert wangdian(stack, "example-bank").endswith(" writes\n")
    said = wangdian(stack, "demo", "--visits", "40", "--seed", "4")
    assert re.match(r"40 tickets, \d+ served", said)
    assert "7 lines, 6 accepted, 1 rejected" in wangdian(
        stack, "import", "visits", "--unit", "old-001", str(ROOT / "examples" / "history.csv")
    )
    return stack
