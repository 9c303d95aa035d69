"""``run-distributed``: the distributed system on this machine, started from nothing and ended by one Ctrl-C."""

import asyncio
import signal
import time
from types import FrameType
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from wangdian_client import AsyncWangdian, WangdianError

from services.commands.server import settings_or_exit
from services.example_bank import load_bank
from services.registry import SERVICES
from shared.app import DataFolderInUse

if TYPE_CHECKING:
    from shared.testing.stack.stack import Stack


class _Leave(Exception):
    """Somebody asked us to end."""


def run_distributed() -> None:
    """Start PostgreSQL, Kafka, every service as API and worker, the gateway and Prometheus, with the example bank."""
    from shared.testing.kafka import KafkaFailed
    from shared.testing.stack.children import StackFailed
    from shared.testing.stack.stack import Stack

    settings = settings_or_exit()
    if settings.mode != "embedded":
        typer.echo("run-distributed sets WANGDIAN_MODE for what it starts: unset it", err=True)
        raise typer.Exit(2)
    begun = time.monotonic()
    console = Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - begun:5.1f} s  {text}")

    def leave(number: int, frame: FrameType | None) -> None:
        # Once is enough: a second Ctrl-C must not interrupt the end that the first began.
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise _Leave

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        with Stack(list(SERVICES), settings, say=say) as stack:
            if settings.example_bank:
                say(f"example bank: {asyncio.run(_load(stack))} writes")
            for name, where in stack.addresses():
                console.print(f"  {name:18} {where}", soft_wrap=True)
            say(f"Wangdian on {stack.url}; Ctrl-C ends everything")
            stack.watch()
    except _Leave:
        say("ended")
    except (StackFailed, KafkaFailed, DataFolderInUse) as error:
        console.print(str(error), markup=False)
        raise typer.Exit(3) from None
    except WangdianError as error:
        console.print(f"the example bank could not be loaded: {error}", markup=False)
        raise typer.Exit(1) from None


async def _load(stack: "Stack") -> int:
    from services.commands.example_bank import PATIENCE

    def token() -> str:
        return stack.token("head_office")

    async with AsyncWangdian(stack.url, token_provider=token, retry=PATIENCE) as client:
        return await load_bank(client)


def register(app: typer.Typer) -> None:
    """Add the commands of this room."""
    app.command("run-distributed")(run_distributed)
