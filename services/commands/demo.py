"""``demo``: drive the running system as kiosks, tellers and customers do."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from wangdian_client import WangdianError
from wangdian_client.demo import Journal, NothingOpen, Scenario, Tally, run_demo

from services.commands.server import settings_or_exit
from services.commands.tokens import development_token


def demo(
    visits: Annotated[int, typer.Option(min=1, max=100_000, help="How many customers come")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed, the same customers")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=64)] = 4,
    max_seconds: Annotated[float, typer.Option(min=1, max=3600)] = 300.0,
    branch: Annotated[list[str] | None, typer.Option(help="Only these branches")] = None,
    journal: Annotated[Path | None, typer.Option(help="Write each acknowledged write to this NDJSON file")] = None,
    url: Annotated[str | None, typer.Option(help="The running system")] = None,
) -> None:
    """Let customers come, be served and rate, through the SDK."""
    settings = settings_or_exit()
    console = Console(stderr=True)

    def tokens(role: str, staff: str | None, unit: str) -> str:
        return development_token(settings, role, staff, unit)

    scenario = Scenario(
        visits=visits, seed=seed, concurrency=concurrency, max_seconds=max_seconds, branches=tuple(branch or ())
    )

    async def drive() -> Tally:
        if journal is None:
            return await run_demo(url or settings.base_url, scenario, tokens)
        with Journal(journal) as book:
            return await run_demo(url or settings.base_url, scenario, tokens, journal=book)

    try:
        tally = asyncio.run(drive())
    except (WangdianError, NothingOpen) as error:
        console.print(f"the demo could not go on: {error}")
        raise typer.Exit(1) from None
    typer.echo(
        f"{tally.issued} tickets, {tally.served} served, {tally.no_show} no-shows, {tally.left} left, "
        f"{tally.rated} rated in {tally.seconds:.1f} s"
    )
    if not tally.complete:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(demo)
