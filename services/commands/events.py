"""``events``: what operations does with events that wait: list, retry, discard, rewind, resync."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from wangdian_client import Wangdian, WangdianError

from services.commands.server import settings_or_exit
from services.commands.tokens import development_token
from services.registry import SERVICES

events = typer.Typer(help="Events that are parked or dead, offsets, flow.", no_args_is_help=True)

Service = Annotated[str, typer.Option(help="The service whose consumer it is")]
Url = Annotated[str | None, typer.Option(help="The running system")]


def ask(url: str | None, role: str, method: Literal["GET", "POST"], path: str, **request: Any) -> Any:
    """Ask the running system as ``role``; a failure is one plain line and exit 1."""
    settings = settings_or_exit()

    def token() -> str:
        if settings.operator_token_file:
            return Path(settings.operator_token_file).read_text(encoding="utf-8").strip()
        return development_token(settings, role, None, "*")

    try:
        with Wangdian(url or settings.base_url, token_provider=token) as bank:
            return bank.request(method, path, **request)
    except WangdianError as error:
        Console(stderr=True).print(str(error))
        raise typer.Exit(1) from None


@events.command("list")
def list_letters(service: Service, url: Url = None) -> None:
    """Parked and dead events, oldest first."""
    cursor: str | None = None
    while True:
        found = ask(url, "operator", "GET", f"/operator/v1/{service}/letters", params=_page(cursor))
        for letter in found["items"]:
            typer.echo(
                f"{letter['id']}  {letter['state']:8}  {letter['type']}  {letter['subject']}  "
                f"tries {letter['attempts']}  {letter['error']}"
            )
        cursor = found["next"]
        if cursor is None:
            return


def _page(cursor: str | None) -> dict[str, str]:
    return {} if cursor is None else {"cursor": cursor}


@events.command()
def flow(url: Url = None) -> None:
    """Outbox, lag and parked subjects of every service."""
    for service in SERVICES:
        found = ask(url, "operator", "GET", f"/operator/v1/{service}/flow")
        typer.echo(
            f"{service:12} outbox {found['outbox_waiting']}  lag {found['lag']}  parked {found['parked_subjects']}  "
            f"dead {found['dead']}{'  STOPPED: ' + found['stopped'] if found['stopped'] else ''}"
        )


@events.command()
def retry(letter: str, service: Service, url: Url = None) -> None:
    """Try a parked event again now."""
    done = ask(url, "operator", "POST", f"/operator/v1/{service}/letters/{letter}/retry")
    typer.echo(f"{done['id']} {done['state']}")


@events.command()
def discard(
    letter: str, service: Service, reason: Annotated[str, typer.Option(help="A code, for the record")], url: Url = None
) -> None:
    """Give an event up; what waits behind it goes on."""
    body = {"reason": reason}
    done = ask(url, "operator", "POST", f"/operator/v1/{service}/letters/{letter}/discard", json=body)
    typer.echo(f"{done['id']} {done['state']}")


@events.command()
def rewind(service: Service, topic: str, offset: int = 0, url: Url = None) -> None:
    """Read a topic again: projections stay as they are, reactions are not done twice."""
    _set(url, service, "rewind", topic, offset)


@events.command()
def resync(service: Service, topic: str, offset: int = 0, url: Url = None) -> None:
    """Accept a log that was lost or made anew, from this offset on; a recorded decision."""
    _set(url, service, "resync", topic, offset)


def _set(url: str | None, service: str, verb: str, topic: str, offset: int) -> None:
    body = {"topic": topic, "offset": offset}
    found = ask(url, "operator", "POST", f"/operator/v1/{service}/{verb}", json=body)
    typer.echo(f"{service}: lag {found['lag']}")


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.add_typer(events, name="events")
