"""How to reach the cluster, and why it cannot be reached."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from shared.bus.base import BusForbidden, BusUnavailable
from shared.observability.logging import get_logger

log = get_logger("bus")

Security = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
REQUEST_TIMEOUT_MS = 15_000
"""Above the rebalance timeout, which a member's request to join may take."""
PROBE_TIMEOUT = 5.0

T = TypeVar("T")


class BusRefused(RuntimeError):
    """The cluster answers and will not have us: a wrong password, certificate or mechanism. No retry can help."""


class KafkaConnection:
    """Addresses and credentials of the cluster, and the connections that are on their way out."""

    def __init__(
        self,
        bootstrap: str,
        *,
        security: Security = "PLAINTEXT",
        ca: Path | None = None,
        user: str = "",
        password: str = "",
    ) -> None:
        self.bootstrap = bootstrap
        self._leaving: set[asyncio.Task[None]] = set()
        self._options: dict[str, Any] = {"security_protocol": security}
        if security != "PLAINTEXT":
            self._options["ssl_context"] = ssl.create_default_context(cafile=None if ca is None else str(ca))
        if security == "SASL_SSL":
            self._options |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": user,
                "sasl_plain_password": password,
            }

    def options(self) -> dict[str, Any]:
        """Keyword arguments of every client of aiokafka."""
        return {"bootstrap_servers": self.bootstrap, "request_timeout_ms": REQUEST_TIMEOUT_MS, **self._options}

    async def probe(self) -> None:
        """Try the addresses until one answers.

        Raises :class:`BusRefused` when one refuses us for good and none takes us, :class:`BusUnavailable` when none
        answers. aiokafka's clients say only "unable to bootstrap" for all of these and leave the cause to a log line.
        """
        refused: BusRefused | None = None
        causes: list[str] = []
        last: BaseException | None = None
        for address in self.bootstrap.split(","):
            host, _, port = address.strip().rpartition(":")
            try:
                async with asyncio.timeout(PROBE_TIMEOUT):
                    connection = await create_conn(
                        host, int(port), request_timeout_ms=int(PROBE_TIMEOUT * 1000), **self._options
                    )
            except (
                ssl.SSLCertVerificationError,
                SaslAuthenticationFailed,
                UnsupportedSaslMechanismError,
                IllegalSaslStateError,
            ) as error:
                refused = BusRefused(f"{address}: {describe(error)}")
                refused.__cause__ = error
            except (KafkaError, OSError, TimeoutError) as error:
                causes.append(f"{address}: {describe(error)}")
                last = error
            else:
                connection.close()
                return
        if refused is not None:
            raise refused
        raise BusUnavailable("; ".join(causes)) from last

    async def dispose(self, stopping: Coroutine[Any, Any, None], patience: float = 5.0) -> None:
        """Run ``stopping`` for up to ``patience`` seconds, and go on with it in the background after that.

        Cancelling aiokafka's ``stop()`` would leave its tasks and connections behind.
        """
        await asyncio.wait({self.leave(stopping)}, timeout=patience)

    def leave(self, stopping: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``stopping`` in the background; :meth:`drain` waits for it."""
        task = asyncio.create_task(stopping)
        self._leaving.add(task)
        task.add_done_callback(self._left)
        return task

    async def bounded(self, what: str, seconds: float, call: Coroutine[Any, Any, T]) -> T:
        """The result of ``call``, or :class:`BusUnavailable` when it fails or takes longer than ``seconds``.

        What takes too long is given the time to give up by itself, and only then ended: cancelled at the wrong moment,
        aiokafka forgets a connection.
        """
        task = asyncio.create_task(call)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self.leave(_give_up(task))
        if not task.done():
            raise BusUnavailable(f"{what}: no answer in {seconds:g} s")
        try:
            return task.result()
        except (KafkaError, OSError, TimeoutError) as error:
            raise unavailable(what, error) from error

    async def start(
        self, what: str, seconds: float, start: Coroutine[Any, Any, Any], stop: Callable[[], Coroutine[Any, Any, Any]]
    ) -> None:
        """Start a client within ``seconds``, or stop it and raise :class:`BusUnavailable`.

        A client that is stopped while it starts opens a connection that nobody closes: it stops when it has ended.
        """
        task = asyncio.create_task(start)
        up = False
        try:
            await asyncio.wait({task}, timeout=seconds)
            up = task.done() and task.exception() is None
        finally:
            if not up:
                self.leave(_give_up(task, stop))
        if not task.done():
            raise BusUnavailable(f"{what}: no answer in {seconds:g} s")
        if (error := task.exception()) is not None:
            raise unavailable(what, error) from error

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("bus_client_ended", error=describe(error))

    async def drain(self, patience: float = 20.0) -> None:
        """Wait for everything that is on its way out."""
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=patience)


async def put_away(stopping: Coroutine[Any, Any, None], client: Any) -> None:
    """Run ``stopping``, and close the connection that ``client`` of aiokafka may have been making meanwhile.

    Its ``close()`` ends those that it has, and forgets the one that is about to be there.
    """
    try:
        await stopping
    finally:
        async with client._get_conn_lock:
            for connection in list(client._conns.values()):
                connection.close()


def describe(error: BaseException) -> str:
    """An error of the client in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


async def _give_up(task: asyncio.Task[Any], stop: Callable[[], Coroutine[Any, Any, Any]] | None = None) -> None:
    await asyncio.wait({task}, timeout=REQUEST_TIMEOUT_MS / 1000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if stop is not None:
        await stop()


def unavailable(what: str, error: BaseException, operation: str = "use", names: Iterable[str] = ()) -> BusUnavailable:
    """What the port calls an error of the client: :class:`BusForbidden` when a right is missing.

    ``names`` are what was asked for, where the error itself does not say which of it.
    """
    if isinstance(error, GroupAuthorizationFailedError):
        return BusForbidden("join", names or _named(error) or [what])
    if isinstance(error, TopicAuthorizationFailedError):
        return BusForbidden(operation, _named(error) or names or [what])
    if isinstance(error, ClusterAuthorizationFailedError):
        return BusForbidden(operation, names or [what])
    return BusUnavailable(f"{what}: {describe(error)}")


def _named(error: BaseException) -> list[str]:
    """The topics or the group that the client put into its error."""
    found: list[str] = []
    for argument in error.args:
        found += [argument] if isinstance(argument, str) else sorted(argument) if isinstance(argument, set) else []
    return found
