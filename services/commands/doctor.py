"""``doctor``: whether the system is well (体检)."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import typer

from services.commands.events import ask
from services.commands.provision import differing
from services.commands.server import settings_or_exit
from services.registry import SERVICES
from shared.app import kafka_connection
from shared.bus.base import BusUnavailable
from shared.settings import Settings

SKEW_SECONDS = 1.0
LEAST_FREE, LEAST_SHARE = 2 << 30, 0.05
Line = Callable[[bool, str, str], None]


def _condition(line: Line, service: str, found: dict[str, Any]) -> None:
    line(found["migrated"], f"{service}: migrations", f"`wangdian migrate {service}`")
    skew = found["clock_ahead_seconds"]
    line(
        abs(skew) <= SKEW_SECONDS,
        f"{service}: our clock is {skew:+.3f} s from the database's",
        "deadlines and quotes lean on both: look at the time service of both machines",
    )
    free, share = found["disk_free_bytes"], found["disk_free_share"]
    line(
        free >= LEAST_FREE and share >= LEAST_SHARE,
        f"{service}: {free / (1 << 30):.1f} GiB ({share:.0%}) of the data folder's disk are free",
        "make room: a full disk stops every write",
    )
    line(
        found["keys_unknown"] == 0,
        f"{service}: {found['keys_unknown']} data keys are wrapped by keys that are not here",
        "bring the bank's keyring.json back, from the backup of the keys",
    )
    line(
        found["keys_outdated"] == 0,
        f"{service}: {found['keys_outdated']} data keys are not wrapped by {found['key']} yet",
        "`wangdian keys rotate` goes on where a rotation was broken off",
    )
    line(
        found["audit_key_own"],
        f"{service}: audit checkpoints are signed with {'a' if found['audit_key_own'] else 'no'} key of its own",
        f"make one with `wangdian keys audit {service}` and give it to this service alone (docs/security.md)",
    )


def _topics(line: Line, settings: Settings, replication: int, partitions: int | None) -> None:
    """The cluster's topics and rights against the declared ones; only where this process may ask the cluster."""
    if settings.mode != "distributed":
        return
    connection = kafka_connection(settings)

    async def ask_cluster() -> list[tuple[str, str]]:
        try:
            return await differing(
                connection,
                replication=replication,
                partitions=partitions,
                secured=settings.kafka_security == "SASL_SSL",
            )
        except BusUnavailable as error:
            return [(f"the cluster: {error}", "is it up, and is this principal one that may describe it?")]
        finally:
            await connection.drain()

    found = asyncio.run(ask_cluster())
    for what, cure in found or [("topics and rights are as declared", "")]:
        line(not found, what, cure)


def doctor(
    url: Annotated[str | None, typer.Option(help="The running system")] = None,
    replication: Annotated[int, typer.Option(min=1, max=5, help="Copies of each record on Kafka")] = 1,
    partitions: Annotated[int | None, typer.Option(min=1, help="Instead of the declared numbers")] = None,
) -> None:
    """Check the running system: events, audit logs, migrations, clocks, disk, keys, and with the settings of a
    distributed process the topics and rights on Kafka. Each red line says what to do; exit 1 if there is one.
    """
    settings = settings_or_exit()
    well = True

    def line(good: bool, text: str, cure: str) -> None:
        nonlocal well
        well = well and good
        typer.echo(f"{'ok ' if good else 'RED'} {text}{'' if good else ' -> ' + cure}")

    _topics(line, settings, replication, partitions)
    for service in SERVICES:
        _condition(line, service, ask(url, "operator", "GET", f"/operator/v1/{service}/condition"))
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
    app.command()(doctor)
