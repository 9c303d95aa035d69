"""``guide`` and ``doctor``: what is proven of the guide, and whether the system is well."""

from pathlib import Path
from typing import Annotated

import typer

from services.commands.events import ask
from services.commands.server import settings_or_exit
from services.registry import SERVICES


def guide(
    root: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A checkout with its tests")] = Path(),
) -> None:
    """Print which rows of the guide are proven by tests, and by which."""
    from shared.testing.guide import render

    typer.echo(render(root))


def doctor(url: Annotated[str | None, typer.Option(help="The running system")] = None) -> None:
    """Check flow, parked events and the audit logs of the running system; each red line says what to do."""
    settings_or_exit()
    well = True

    def line(good: bool, text: str, cure: str) -> None:
        nonlocal well
        well = well and good
        typer.echo(f"{'ok ' if good else 'RED'} {text}{'' if good else ' -> ' + cure}")

    for service in SERVICES:
        flow = ask(url, "operator", "GET", f"/operator/v1/{service}/flow")
        line(
            flow["stopped"] is None,
            f"{service}: consumer {flow['stopped'] or 'runs'}",
            f"find out what happened to the log, then `wangdian events resync {flow['service']} TOPIC`",
        )
        line(
            flow["parked_subjects"] == 0 and flow["dead"] == 0,
            f"{service}: {flow['parked_subjects']} parked subjects, {flow['dead']} unreadable events",
            f"`wangdian events list --service {service}`, then retry or discard",
        )
        line(
            flow["outbox_waiting"] < 1000 and flow["lag"] < 10_000,
            f"{service}: {flow['outbox_waiting']} events wait in the outbox, lag {flow['lag']}",
            "is the bus up, and do the workers turn (/livez)?",
        )
        line(
            not flow["failing"],
            f"{service}: loops {', '.join(f'{k} ({v})' for k, v in flow['failing'].items()) or 'run'}",
            "the log line loop_failed says where; a broken audit chain needs `wangdian audit verify`",
        )
        report = ask(url, "auditor", "GET", f"/operator/v1/{service}/audit/verify")
        line(report["ok"], f"{service}: audit log of {report['rows']} rows", "`wangdian audit verify` names the row")
    if not well:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(guide)
    app.command()(doctor)
