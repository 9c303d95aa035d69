"""``audit verify``: is the record of who did what as it was written?"""

import asyncio
from typing import Annotated, Any

import typer

from services.commands.events import ask
from services.commands.server import settings_or_exit
from services.registry import SERVICES, load
from shared.app import DataFolderInUse, Parts, build_app
from shared.security.audit_keys import path_of, renew
from shared.settings import Settings
from shared.web.operator import verified

audit = typer.Typer(help="The audit log.", no_args_is_help=True)


async def _offline(settings: Settings, names: list[str]) -> list[dict[str, Any]]:
    app = build_app(load(names), settings, Parts(start_loops=False))
    async with app.router.lifespan_context(app):
        return [(await verified(app.state.services[name])).model_dump() for name in names]


def _reports(names: list[str], url: str | None) -> list[dict[str, Any]]:
    settings = settings_or_exit()
    if url is None and settings.mode == "embedded":
        try:
            return asyncio.run(_offline(settings, names))
        except DataFolderInUse:
            pass  # the system runs: ask it
    return [ask(url, "auditor", "GET", f"/operator/v1/{name}/audit/verify") for name in names]


@audit.command()
def verify(
    service: Annotated[str | None, typer.Option(help="Only this service")] = None,
    url: Annotated[str | None, typer.Option(help="The running system")] = None,
) -> None:
    """Verify the audit logs; names the first bad row and exits 1 if there is one. Works with the system up or down."""
    bad = False
    for report in _reports([service] if service else list(SERVICES), url):
        typer.echo(
            f"{report['service']:12} {'ok' if report['ok'] else 'NOT OK'}: {report['rows']} rows in "
            f"{report['blocks']} blocks, {report['unsealed']} not sealed yet, confirmed to block {report['anchored']}"
        )
        for finding in report["findings"]:
            bad = True
            typer.echo(f"  block {finding['block']} row {finding['row']}: {finding['reason']}")
    if bad:
        raise typer.Exit(1)


keys = typer.Typer(help="Keys of the personal data and of the audit logs.", no_args_is_help=True)


@keys.command()
def rotate(url: Annotated[str | None, typer.Option(help="The running system")] = None) -> None:
    """Make a new key-encryption key and wrap every record's key under it."""
    done = ask(url, "operator", "POST", "/operator/v1/keys/rotate")
    typer.echo(f"{done['kid']}: {done['rewrapped']} keys wrapped anew")


@keys.command("audit")
def audit_key(
    service: Annotated[str, typer.Argument(help="The service whose audit log it signs")],
    sealed: Annotated[
        int, typer.Option(min=0, help="Blocks that its log has (`wangdian audit verify`), signed by the key before")
    ] = 0,
) -> None:
    """Make the key that signs a service's audit checkpoints, or another one, in the folder of keys.

    Give the file to that service's processes alone, while its worker stands still: what the key before signed is
    believed up to the block that ``--sealed`` names.
    """
    if service not in SERVICES:
        typer.echo(f"no such service: {service}", err=True)
        raise typer.Exit(2)
    folder = settings_or_exit().data / "keys"
    try:
        renew(folder, service, sealed)
    except ValueError as error:
        typer.echo(f"{error}: the log has more than {sealed} blocks", err=True)
        raise typer.Exit(1) from None
    typer.echo(str(path_of(folder, service)))


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.add_typer(keys, name="keys")
    app.add_typer(audit, name="audit")
