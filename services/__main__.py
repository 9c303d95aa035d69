"""The ``wangdian`` command."""

import typer

from services.commands import (
    audit,
    demo,
    distributed,
    doctor,
    documents,
    events,
    imports,
    provision,
    restored,
    server,
    tokens,
)

app = typer.Typer(
    name="wangdian",
    help="Wangdian (网点): what bank branches run on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for room in (server, distributed, provision, tokens, imports, demo, events, restored, audit, documents, doctor):
    room.register(app)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
