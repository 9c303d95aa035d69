"""The ports of a stack: the preferred ones where they are free, so that an address is the same from run to run."""

import socket
from collections.abc import Iterator

from shared.testing.ports import free_port


def usable(port: int) -> bool:
    """Whether nothing listens there: an orphan's answer must never pass for that of a new process."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def following(port: int) -> Iterator[int]:
    """Ports after ``port`` that are free, then any."""
    for candidate in range(port + 1, min(port + 200, 65535)):
        if usable(candidate):
            yield candidate
    while True:
        yield free_port()
