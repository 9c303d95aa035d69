"""Fixtures of the whole suite."""

from collections.abc import Iterator

import pytest

from shared.testing.postgres import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running PostgreSQL server."""
    with postgres_server() as url:
        yield url
