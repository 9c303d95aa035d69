"""``import visits``: upload the history of an old queue machine to the running system."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from wangdian_client import Wangdian, WangdianError

from services.commands.server import settings_or_exit
from services.commands.tokens import development_token

importing = typer.Typer(help="Bring in what other systems recorded.", no_args_is_help=True)


@importing.command()
def visits(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file (also gzip-compressed)")],
    unit: Annotated[str, typer.Option(help="The branch that the visits belong to")],
    format: Annotated[str, typer.Option("--format", help="anonymous-bank, csv or ndjson")] = "csv",  # noqa: A002
    url: Annotated[str | None, typer.Option(help="The running system")] = None,
) -> None:
    """Upload a file of visits, wait for the end, print the report."""
    settings = settings_or_exit()
    console = Console(stderr=True)

    def token() -> str:
        return development_token(settings, "integration", None, unit)

    try:
        with Wangdian(url or settings.base_url, token_provider=token, timeout=60.0) as bank:
            bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} lines"),
                TimeElapsedColumn(), console=console,
            )  # fmt: skip
            with bar:
                task = bar.add_task(f"importing {file.name}", total=None)
                started = bank.queue.imports.upload(file, format, unit)
                report = bank.queue.imports.wait(
                    started["id"], progress=lambda now: bar.update(task, completed=now["lines"])
                )
    except WangdianError as error:
        console.print(f"import failed: {error}")
        raise typer.Exit(1) from None
    typer.echo(
        f"{report['status']}: {report['lines']} lines, {report['accepted']} accepted, {report['rejected']} rejected, "
        f"{report['unchanged']} told nothing new"
    )
    for code, count in sorted(report["rejected_by_code"].items()):
        typer.echo(f"  {code}: {count}")
    if report["status"] == "failed":
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.add_typer(importing, name="import")
