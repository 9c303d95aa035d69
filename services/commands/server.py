"""``run``, ``serve``, ``work`` and ``migrate``: starting processes."""

import asyncio
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from services.commands.ports import GRACE, LeavingServer
from services.registry import SERVICES, load
from shared.app import DataFolderInUse, build_app, lock_folder
from shared.bus.base import BusUnavailable
from shared.db.errors import DatabaseError
from shared.observability.logging import configure_logging
from shared.settings import Role, Settings


def settings_or_exit() -> Settings:
    """The settings, or a plain sentence and exit 2."""
    try:
        return Settings()
    except ValidationError as error:
        for item in error.errors():
            typer.echo(f"settings: {'.'.join(map(str, item['loc'])) or 'mode'}: {item['msg']}", err=True)
        raise typer.Exit(2) from None


def _serve(names: list[str] | None, roles: frozenset[Role] | None) -> None:
    settings = settings_or_exit()
    if roles is not None:
        settings = settings.model_copy(update={"roles": roles})
    configure_logging()
    if settings.mode == "embedded":
        try:
            lock_folder(settings.data).close()
        except DataFolderInUse as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(3) from None
    specs = load(names)
    # The front door of all is one process; it leads to the screens of every other.
    front = "api" in settings.roles and any(spec.keeps_sessions for spec in specs)
    beside = load([name for name in SERVICES if name not in names]) if front and names is not None else []
    app = build_app(specs, settings, beside=beside)
    if settings.example_bank and settings.mode == "embedded":
        from services.commands.example_bank import load_when_ready

        load_when_ready(app)
    if settings.mode == "distributed":
        _serve_ports(app, settings)
        return
    typer.echo(f"Wangdian on http://{settings.host}:{settings.port} (data in {settings.data})", err=True)
    server = LeavingServer(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, access_log=False, log_config=None, server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )  # fmt: skip
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(3)


def _serve_ports(app: FastAPI, settings: Settings) -> None:
    from services.commands.ports import serve_ports

    where = f"{settings.host}:{settings.port}, " if "api" in settings.roles else ""
    typer.echo(f"Wangdian on {where}operator routes on {settings.host}:{settings.operator_port}", err=True)
    try:
        serve_ports(app, settings)
    except (DatabaseError, BusUnavailable, RuntimeError, OSError) as error:
        # Who runs us starts us again; the reason is one line, as a stack of our frames explains nothing.
        typer.echo(f"cannot start: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(3) from None


def _known(service: str) -> str:
    if service not in SERVICES:
        raise typer.BadParameter(f"no service {service!r}; there are {', '.join(SERVICES)}")
    return service


def _distributed(service: str) -> None:
    if settings_or_exit().mode != "distributed":
        typer.echo(f"{service} alone needs WANGDIAN_MODE=distributed; `wangdian run` starts the whole system", err=True)
        raise typer.Exit(2)


def run() -> None:
    """Start everything in one process, with the example bank in it."""
    _serve(None, None)


def serve(service: Annotated[str, typer.Argument(callback=_known)]) -> None:
    """Start one service's API (distributed mode)."""
    _distributed(service)
    _serve([service], frozenset({"api"}))


def work(service: Annotated[str, typer.Argument(callback=_known)]) -> None:
    """Start one service's worker: relay, consumer, timers (distributed mode)."""
    _distributed(service)
    _serve([service], frozenset({"relay", "consume", "timers"}))


def migrate(service: Annotated[str, typer.Argument(callback=_known)]) -> None:
    """Bring one service's database to this build's schema."""
    from shared.db.migrate import migrate_postgres, migrate_sqlite

    settings = settings_or_exit()
    (spec,) = load([service])
    if settings.mode == "embedded":
        with lock_folder(settings.data):
            changed = migrate_sqlite(settings.data / f"{service}.sqlite3", spec.migrations)
        typer.echo("migrated" if changed else "nothing to do")
    else:
        asyncio.run(migrate_postgres(settings.database_url, spec.migrations))
        typer.echo("migrated")
    sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    for command in (run, serve, work, migrate):
        app.command()(command)
