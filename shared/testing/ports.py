"""Free loopback ports for servers that tests start."""

import itertools
import os
import socket

FIRST, COUNT = 18_000, 14_000
"""Below the range that the kernel takes for outgoing connections (from 32768 on): who asks a port of that range again
and again, before its server listens, is one day connected to itself, reads its own request, and holds the port."""

_turn = itertools.count(os.getpid() * 41)


def free_port() -> int:
    """A port that was free a moment ago and is not given twice by this process."""
    for _ in range(COUNT):
        port = FIRST + next(_turn) % COUNT
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no port is free")
