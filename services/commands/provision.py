"""``provision``: what a cluster needs before the services start (开通): topics, principals, rights, as declared."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.commands.server import settings_or_exit
from services.registry import SERVICES, load
from shared.app import kafka_connection
from shared.bus.base import BusUnavailable
from shared.bus.rights import rights
from shared.topics import TOPICS

if TYPE_CHECKING:
    from shared.bus.kafka.connection import KafkaConnection

SHORTEST: Final = 16
"""Characters of a password: it is made by a machine and typed by nobody."""


class WeakPassword(ValueError):
    """A password that somebody could guess, or that is missing."""


def passwords_in(folder: Path) -> dict[str, str]:
    """The password of each service, from the file of its name; :class:`WeakPassword` says which one will not do."""
    found = {}
    for name in SERVICES:
        path = folder / name
        if not path.is_file():
            raise WeakPassword(f"{path} is missing: it holds the password of {name}")
        found[name] = path.read_text(encoding="utf-8").strip()
        if len(found[name]) < SHORTEST:
            raise WeakPassword(f"the password in {path} is shorter than {SHORTEST} characters")
    if len(set(found.values())) < len(found):
        raise WeakPassword(f"two services have one password in {folder}: each could write the other's topics")
    return found


async def apply(
    connection: "KafkaConnection",
    *,
    replication: int = 1,
    partitions: int | None = None,
    passwords: dict[str, str] | None = None,
    secured: bool = True,
) -> list[str]:
    """Make topics that are missing, let the services in with ``passwords`` (if given), and grant their rights.

    Returns what was changed, a line each. Topics that are there stay as they are; rights of the services that are not
    declared are taken away. Raises :class:`BusUnavailable` when the cluster does not answer or refuses.
    """
    from shared.bus.kafka.access import grant, set_passwords
    from shared.bus.kafka.topics import create

    said = [
        f"topic made: {name}"
        for name in await create(connection, TOPICS, replication=replication, partitions=partitions)
    ]
    if passwords:
        await set_passwords(connection, passwords)
        said.append(f"passwords set: {', '.join(sorted(passwords))}")
    if secured:
        changes = await grant(connection, rights(load()), tuple(SERVICES))
        said += [f"granted: {right.principal} may {right.operation} {right.name}" for right in changes.added]
        said += [f"taken away: {binding[3]} on {binding[1]}" for binding in changes.removed]
    return said


async def differing(
    connection: "KafkaConnection", *, replication: int = 1, partitions: int | None = None, secured: bool = True
) -> list[tuple[str, str]]:
    """What is not on the cluster as declared, each with what to do about it; empty when all is."""
    from shared.bus.kafka.access import compare
    from shared.bus.kafka.drift import differences

    found = await differences(connection, TOPICS, replication=replication, partitions=partitions)
    if secured:
        changes = await compare(connection, rights(load()), tuple(SERVICES))
        found += [
            (f"{right.principal} may not {right.operation} {right.name}", "`wangdian provision`")
            for right in changes.added
        ]
        found += [
            (f"{binding[3]} has a right on {binding[1]} that is not declared", "`wangdian provision` takes it away")
            for binding in changes.removed
        ]
    return found


def provision(
    replication: Annotated[int, typer.Option(min=1, max=5, help="Copies of each record")] = 1,
    partitions: Annotated[int | None, typer.Option(min=1, help="Instead of the declared numbers")] = None,
    passwords: Annotated[Path | None, typer.Option(help="Folder with a file per service: its password")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when something differs")] = False,
) -> None:
    """Make the cluster as declared (distributed mode): topics; with SASL_SSL also principals and their rights.

    With --check it only looks: each red line says what differs and what to do.
    """
    settings = settings_or_exit()
    if settings.mode != "distributed":
        typer.echo("this is about Kafka: set WANGDIAN_MODE=distributed", err=True)
        raise typer.Exit(2)
    secured = settings.kafka_security == "SASL_SSL"
    connection = kafka_connection(settings)

    async def run() -> list[str]:
        try:
            if check:
                found = await differing(connection, replication=replication, partitions=partitions, secured=secured)
                return [f"RED {what} -> {cure}" for what, cure in found]
            secrets = None if passwords is None else passwords_in(passwords)
            return await apply(
                connection, replication=replication, partitions=partitions, passwords=secrets, secured=secured
            )
        finally:
            await connection.drain()

    try:
        said = asyncio.run(run())
    except WeakPassword as error:
        typer.echo(f"provision: {error}", err=True)
        raise typer.Exit(2) from None
    except BusUnavailable as error:
        typer.echo(f"provision: {error}", err=True)
        raise typer.Exit(3) from None
    for line in said or ["nothing to do: all is as declared"]:
        typer.echo(line)
    if check and said:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command()(provision)
