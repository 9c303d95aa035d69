"""``token``: a bearer token of the development issuer (embedded mode only)."""

from datetime import timedelta
from typing import Annotated

import typer

from services.commands.server import settings_or_exit
from shared.clock import SystemClock
from shared.security.issuer import DevelopmentIssuer
from shared.settings import Settings


def development_token(settings: Settings, role: str, staff: str | None, unit: str, minutes: int = 60) -> str:
    """A token of ``role`` for the part of the tree under ``unit``; refused outside embedded mode."""
    if settings.mode != "embedded":
        typer.echo("tokens come from the bank's issuer in distributed mode", err=True)
        raise typer.Exit(2)
    issuer = DevelopmentIssuer(settings.data / "keys", settings.token_issuer, settings.token_audience, SystemClock())
    try:
        return issuer.issue(
            role, sub=staff or f"{role}@{unit}", staff_id=staff, units=[unit], ttl=timedelta(minutes=minutes)
        )
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def token(
    role: Annotated[
        str, typer.Option(help="kiosk, teller, branch_manager, head_office, app, integration, auditor, operator")
    ],
    unit: Annotated[str, typer.Option(help="The part of the organisation it may act in")] = "hq",
    staff: Annotated[str | None, typer.Option(help="The member of staff, e.g. T0001")] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1440)] = 60,
) -> None:
    """Print a bearer token."""
    typer.echo(development_token(settings_or_exit(), role, staff, unit, minutes))


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(token)
