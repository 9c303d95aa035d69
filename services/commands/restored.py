"""``restored``: after a service's database was restored from a backup, and before the service is started."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from services.commands.server import settings_or_exit
from services.registry import SERVICES, load
from shared.app import DataFolderInUse, Parts, build_app
from shared.events.restored import Forgotten, recover, told_since
from shared.settings import Settings
from shared.topics import TOPICS


async def _recover(settings: Settings, service: str, since: datetime) -> list[Forgotten]:
    app = build_app(load([service]), settings, Parts(start_loops=False))
    async with app.router.lifespan_context(app):
        last = await told_since(app.state.bus, service, [topic.name for topic in TOPICS], since)
        return await recover(app.state.services[service].db, last, actor="restored")


def restored(
    service: Annotated[str, typer.Argument()],
    since: Annotated[
        datetime, typer.Option(help="The backup's moment, earlier rather than later", formats=["%Y-%m-%dT%H:%M:%S%z"])
    ],
) -> None:
    """Go on behind what was told since the backup; lists the subjects whose later events the database has forgotten."""
    if service not in SERVICES:
        raise typer.BadParameter(f"no service {service!r}; there are {', '.join(SERVICES)}")
    if since.tzinfo is None:
        raise typer.BadParameter("--since needs an offset: 2026-03-02T04:00:00+0000")
    try:
        forgotten = asyncio.run(_recover(settings_or_exit(), service, since))
    except DataFolderInUse as error:
        typer.echo(f"{error}: it must not run while this is decided", err=True)
        raise typer.Exit(3) from None
    for one in forgotten:
        typer.echo(f"{one.subject}  has {one.kept}, told {one.told}  {one.type}")
    typer.echo(f"{len(forgotten)} subjects were told more than the database knows; their sequences go on behind that")


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(restored)
