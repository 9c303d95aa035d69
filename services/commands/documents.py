"""``guide``: what is proven of the guide."""

from pathlib import Path
from typing import Annotated

import typer


def guide(
    root: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A checkout with its tests")] = Path(),
) -> None:
    """Print which rows of the guide are proven by tests, and by which."""
    from shared.testing.guide import render

    typer.echo(render(root))


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(guide)
