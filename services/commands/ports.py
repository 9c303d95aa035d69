"""Serving on two ports in distributed mode: the public API, and the operator's routes that the gateway never shows."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

from shared.settings import Settings

GRACE = 10
"""Seconds that running requests get to end."""


OFTEN = 20_000
"""Objects made and not freed after which the collector looks at the young ones. A batch of a thousand events makes tens
of thousands that go as they came; at Python's 700 the collector went over each batch dozens of times."""


def settle() -> None:
    """What was made up to now lives as long as the process, so the collector need not look at it again: a pass over
    all of it holds up whatever is under way for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OFTEN, 20, 20)


class LeavingServer(uvicorn.Server):
    """A server that ends the live streams when it is asked to stop; it would wait for them else, and they never end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """All is set up: what follows is traffic."""
        await super().startup(sockets)
        settle()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first, then everything else."""
        app: Any = self.config.app
        for runtime in getattr(app.state, "services", {}).values():
            runtime.live.close()
        await super().shutdown(sockets)


class Server(LeavingServer):
    """A server that leaves signals to who started it: two of them in one process would take them from each other."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured here."""
        yield


def _server(app: FastAPI, host: str, port: int) -> Server:
    return Server(
        uvicorn.Config(
            app, host=host, port=port, lifespan="off", access_log=False, log_config=None, server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )  # fmt: skip


def serve_ports(app: FastAPI, settings: Settings) -> None:
    """Serve ``app`` on ``port`` if this process has the role ``api``, and ``app.state.operator`` on ``operator_port``.

    SIGTERM and SIGINT end the public server first; the operator's answers until that is done. Raises what the
    application's lifespan raises at its start.
    """
    operator = _server(app.state.operator, settings.host, settings.operator_port)
    public = _server(app, settings.host, settings.port) if "api" in settings.roles else None

    async def serve() -> None:
        leaving = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, leaving.set)
        async with app.router.lifespan_context(app):
            beside = asyncio.create_task(operator.serve())
            waiting = asyncio.create_task(leaving.wait())
            running = {beside, waiting}
            if public is not None:
                running.add(front := asyncio.create_task(public.serve()))
            # A server that cannot have its port ends at once, and then all ends.
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if public is not None:
                public.should_exit = True
                await front
            operator.should_exit = True
            await beside

    factory = operator.config.get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve())
