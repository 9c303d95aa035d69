"""The application: one FastAPI of one or several services, everything opened and closed by its lifespan.

Routers are included, never mounted: a mounted application loses its lifespan and its OpenAPI.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI

from shared.bus.base import Bus
from shared.bus.embedded import EmbeddedBus
from shared.bus.retention import tidy
from shared.clock import Clock, SystemClock
from shared.db.database import Database
from shared.db.errors import DatabaseError
from shared.db.migrate import applied, migrate_sqlite
from shared.db.sqlite import SqliteDatabase
from shared.db.uow import UnitContext
from shared.events.checkpoints import published
from shared.observability.health import Loops
from shared.observability.logging import get_logger
from shared.observability.metrics import HttpMetricsMiddleware, Metrics
from shared.observability.operator import operator_routes
from shared.observability.tracing import TraceMiddleware
from shared.runtime import ServiceRuntime
from shared.security.audit_keys import AuditKeys, ensure, load
from shared.security.audit_log import Sealer
from shared.security.audit_queries import LAST_BLOCK
from shared.security.issuer import DevelopmentIssuer
from shared.security.jwks import FileJwks, RemoteJwks
from shared.security.keyring import FileKeySource, Keyring
from shared.security.records import RecordKeys
from shared.security.tokens import TokenVerifier
from shared.settings import Settings
from shared.spec import ServiceSpec
from shared.topics import TOPICS
from shared.web import handlers as problem_handlers
from shared.web.client import Peers
from shared.web.limits import BodyLimit
from shared.web.oidc import Provider
from shared.web.operator import router as operator_router
from shared.web.places import Places
from shared.web.routes import router as page_routes
from shared.web.routes import session_router
from shared.web.session import Sessions
from shared.web.sessions_elsewhere import SessionsElsewhere
from shared.web.site import Site

if TYPE_CHECKING:
    from shared.bus.kafka.connection import KafkaConnection

log = get_logger("app")

STOP_AGAIN = 1.0
"""Seconds after which a loop that did not end is asked again to stop."""


TIDY_EVERY = 3600.0
"""Seconds between two rounds of the embedded log's retention."""


class DataFolderInUse(RuntimeError):
    """Another process runs on the same data folder; two would corrupt each other's view of the log."""


@dataclass(slots=True)
class Parts:
    """What tests may replace."""

    clock: Clock | None = None
    bus: Bus | None = None
    database: Callable[[ServiceSpec, UnitContext], Awaitable[Database]] | None = None
    start_loops: bool = True


def lock_folder(folder: Path) -> IO[str]:
    """Hold the data folder for this process; :class:`DataFolderInUse` when another does."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise DataFolderInUse(
            f"another process runs on the data folder {folder}; stop it, or set WANGDIAN_DATA"
        ) from error
    return handle


def build_app(
    specs: Sequence[ServiceSpec],
    settings: Settings,
    parts: Parts | None = None,
    *,
    beside: Sequence[ServiceSpec] = (),
) -> FastAPI:
    """One application of ``specs``; nothing is opened before its lifespan starts.

    ``beside`` are services of other processes whose screens the start page lists as well.
    """
    parts = parts or Parts()
    clock = parts.clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _open(app, stack, specs, settings, clock, parts)
            yield

    app = FastAPI(
        title="Wangdian",
        version="1",
        summary="What bank branches run on (网点)",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.metrics = Metrics()
    app.state.loops = Loops()
    problem_handlers.install(app)
    for spec in specs:
        for router in spec.routers:
            # As routes of the application itself: an included router is matched route by route behind a context of its
            # own, which cost a fifth of a request's time.
            app.router.routes.extend(router.routes)
    screens = [pages.pages for spec in (*specs, *beside) for pages in spec.pages]
    app.state.site = Site(screens, settings.files_folder)
    for pages in (page_routes, *(pages for spec in specs for pages in spec.pages)):
        app.router.routes.extend(pages.routes)
    if _keeps_sessions(specs, settings):
        app.router.routes.extend(session_router.routes)
    _operate(app, settings)
    uploads = {path for spec in specs for path in spec.uploads}
    app.add_middleware(BodyLimit, limit=settings.body_limit, upload_limit=settings.upload_limit, uploads=uploads)
    app.add_middleware(HttpMetricsMiddleware, metrics=app.state.metrics)
    app.add_middleware(TraceMiddleware)
    return app


def _keeps_sessions(specs: Sequence[ServiceSpec], settings: Settings) -> bool:
    return settings.mode == "embedded" or any(spec.keeps_sessions for spec in specs)


def _operate(app: FastAPI, settings: Settings) -> None:
    """Routes for operations: beside the others in embedded mode, else on an application of their own for the second
    port (``app.state.operator``), which lives in the first one's lifespan and state."""
    if settings.mode == "embedded":
        operator = app
    else:
        operator = FastAPI(title="Wangdian operator", docs_url=None, redoc_url=None, redirect_slashes=False)
        operator.state = app.state
        app.state.operator = operator
        problem_handlers.install(operator)
        operator.add_middleware(
            BodyLimit, limit=settings.body_limit, upload_limit=settings.upload_limit, uploads=frozenset()
        )
        operator.add_middleware(TraceMiddleware)
    operator.include_router(operator_router)
    operator_routes(operator)


async def _open(
    app: FastAPI, stack: AsyncExitStack, specs: Sequence[ServiceSpec], settings: Settings, clock: Clock, parts: Parts
) -> None:
    keys = _keys(stack, settings)
    app.state.keyring = keys
    _tokens(app, settings, clock)
    bus = parts.bus or _bus(settings, clock)
    app.state.bus = bus
    await bus.open()
    stack.push_async_callback(bus.close)
    app.state.services = {}
    for spec in specs:
        context = UnitContext(spec.name, RecordKeys(keys))
        given = parts.database(spec, context) if parts.database else _database(spec, settings, clock, context)
        db = await given
        await db.open()
        stack.push_async_callback(db.close)
        if not await applied(db, spec.migrations):
            raise RuntimeError(f"the database of {spec.name} lacks migrations: run `wangdian migrate {spec.name}`")
        sealer = Sealer(db, await _audit_keys(spec, settings, keys, db), witness=partial(published, bus, spec.name))
        app.state.services[spec.name] = ServiceRuntime(
            spec, settings, clock, db, bus, app.state.metrics.events, app.state.loops, keys, sealer
        )
    peers = _peers(app, settings)
    if _keeps_sessions(specs, settings):
        app.state.sessions = Sessions(next(iter(app.state.services.values())).db, keys)
    else:
        app.state.sessions = SessionsElsewhere(peers, keys, clock)
    app.state.oidc = Provider(settings, clock) if settings.oidc_issuer else None
    app.state.places = Places(peers)
    stack.push_async_callback(peers.close)
    for runtime in app.state.services.values():
        runtime.peers = peers
        _watch(app, runtime)
        if runtime.spec.devices is not None:
            app.state.devices = runtime.spec.devices(runtime)
        if runtime.spec.prepare is not None:
            await runtime.spec.prepare(runtime)
    if parts.start_loops:
        await _start(app, stack)


def _watch(app: FastAPI, runtime: ServiceRuntime) -> None:
    """Its figures for Prometheus, and what it needs to be ready."""
    app.state.metrics.events.declare(runtime.name)
    app.state.metrics.add_source(f"{runtime.name}.events", runtime.report)
    if runtime.spec.collector is not None:
        collect = runtime.spec.collector
        app.state.metrics.add_source(f"{runtime.name}.figures", lambda: collect(runtime))
    app.state.readiness.add(f"{runtime.name}.database", runtime.ready)
    app.state.readiness.add(f"{runtime.name}.rights", runtime.allowed)


async def _start(app: FastAPI, stack: AsyncExitStack) -> None:
    # A loop never ends by itself; when the application stops, each is cancelled between two awaits of its turn.
    tasks = [asyncio.create_task(app.state.metrics.watch_loop(), name="watch")]
    if isinstance(app.state.bus, EmbeddedBus):
        tasks.append(asyncio.create_task(_tidy(app.state.bus, app.state.loops), name="bus.retention"))
    for runtime in app.state.services.values():
        tasks += [asyncio.create_task(body(), name=name) for name, body in runtime.tasks()]

    async def stop() -> None:
        # Asked until it ends: wait_for of Python 3.11 loses a cancellation that meets the event it waits for.
        pending = set(tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=STOP_AGAIN)
        await asyncio.gather(*tasks, return_exceptions=True)
        for runtime in app.state.services.values():
            with suppress(DatabaseError):
                await runtime.relay.leave()

    stack.push_async_callback(stop)


async def _tidy(bus: EmbeddedBus, loops: Loops) -> None:
    beat = loops.register("bus.retention", limit=3 * TIDY_EVERY)
    while True:
        try:
            await tidy(bus)
        except DatabaseError as trouble:
            log.warning("loop_waits", loop="bus.retention", error=type(trouble).__name__)
        beat.turn()
        await asyncio.sleep(TIDY_EVERY)


def _keys(stack: AsyncExitStack, settings: Settings) -> Keyring:
    if settings.mode == "embedded":
        stack.enter_context(lock_folder(settings.data))
    elif not (settings.data / "keys" / "keyring.json").is_file():
        # Each process would make keys of its own, and none could read what another wrote.
        raise RuntimeError(f"distributed mode makes no keys: put the bank's keyring.json into {settings.data / 'keys'}")
    return Keyring(FileKeySource(settings.data / "keys"), settings.crypto_suite)


async def _audit_keys(spec: ServiceSpec, settings: Settings, keyring: Keyring, db: Database) -> AuditKeys:
    folder = settings.data / "keys"
    if settings.mode == "embedded":
        # What was sealed before services had keys of their own was signed with the keyring's.
        last = await db.read(lambda reads: reads.one(LAST_BLOCK))
        await asyncio.to_thread(ensure, folder, spec.name, 0 if last is None else last.no)
    return await asyncio.to_thread(load, folder, spec.name, keyring)


def _tokens(app: FastAPI, settings: Settings, clock: Clock) -> None:
    if settings.mode == "embedded":
        issuer = DevelopmentIssuer(settings.data / "keys", settings.token_issuer, settings.token_audience, clock)
        app.state.issuer = issuer
        provider: Any = issuer
    elif settings.jwks.startswith("http"):
        provider = RemoteJwks(settings.jwks, clock)
    else:
        provider = FileJwks(Path(settings.jwks), clock)
    app.state.verifier = TokenVerifier(provider, settings.token_issuer, settings.token_audience, clock)


def kafka_connection(settings: Settings) -> "KafkaConnection":
    """How this process reaches the cluster."""
    from shared.bus.kafka.connection import KafkaConnection

    return KafkaConnection(
        settings.kafka,
        security=settings.kafka_security,
        ca=settings.kafka_ca,
        user=settings.kafka_user,
        password=settings.kafka_password.get_secret_value(),
    )


def _bus(settings: Settings, clock: Clock) -> Bus:
    if settings.mode == "distributed":
        # On demand: the embedded pair starts without loading a client of Kafka.
        from shared.bus.kafka.bus import KafkaBus

        return KafkaBus(kafka_connection(settings), instance=settings.kafka_instance)
    return EmbeddedBus(settings.data / "bus.sqlite3", clock, [topic.name for topic in TOPICS], settings.partitions)


async def _database(spec: ServiceSpec, settings: Settings, clock: Clock, context: UnitContext) -> Database:
    if settings.mode == "embedded":
        path = settings.data / f"{spec.name}.sqlite3"
        await asyncio.to_thread(migrate_sqlite, path, spec.migrations)
        return SqliteDatabase(path, clock, context)
    from shared.db.postgres import Bell, PostgresDatabase

    bell: Bell = "listens" if "relay" in settings.roles else "rings"
    return PostgresDatabase(
        settings.database_url, clock, context, statement_timeout_ms=settings.statement_timeout_ms, bell=bell
    )


def _peers(app: FastAPI, settings: Settings) -> Peers:
    if settings.mode == "embedded":
        transport: httpx.AsyncBaseTransport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://embedded")

        async def token() -> str:
            return str(app.state.issuer.issue(["service"], sub="service", units=["*"]))
    else:
        client = httpx.AsyncClient(base_url=settings.gateway_url)

        async def token() -> str:
            return await asyncio.to_thread(Path(settings.service_token_file).read_text)

    return Peers(client, token)
