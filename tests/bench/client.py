"""A small load client of its own process: keep-alive connections that send prepared requests and count the replies.

``python -m tests.bench.client PORT SECONDS`` reads one JSON list of requests a connection from standard
input and prints ``{"done": n, "seconds": s, "p50": ms, "p99": ms, "bad": {status: n}}``. It targets 127.0.0.1 only and
stops at whichever comes first: the time or the end of the requests.
"""

import asyncio
import json
import sys
import time
from typing import Any


def render(request: dict[str, Any]) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    body = json.dumps(request["body"]).encode() if request.get("body") is not None else b""
    lines = [f"{request['method']} {request['path']} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in request.get("headers", {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def connection(port: int, requests: list[bytes], end: float, times: list[float], bad: dict[int, int]) -> None:
    """Send one after the other until the time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        start = time.perf_counter()
        if start > end:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lower = head.lower()
        at = lower.find(b"content-length:")
        if at >= 0:
            length = int(lower[at + 15 : lower.index(b"\r\n", at)])
            if length:
                await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        if status >= 300:
            bad[status] = bad.get(status, 0) + 1
    writer.close()


async def drive(port: int, plans: list[list[dict[str, Any]]], seconds: float) -> dict[str, Any]:
    """All connections side by side."""
    prepared = [[render(request) for request in plan] for plan in plans]
    times: list[float] = []
    bad: dict[int, int] = {}
    start = time.perf_counter()
    await asyncio.gather(*(connection(port, plan, start + seconds, times, bad) for plan in prepared))
    taken = time.perf_counter() - start
    times.sort()
    return {
        "done": len(times),
        "seconds": taken,
        "p50": times[len(times) // 2] * 1000,
        "p99": times[int(len(times) * 0.99)] * 1000,
        "bad": bad,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(asyncio.run(drive(int(sys.argv[1]), given, float(sys.argv[2]))), sys.stdout)
