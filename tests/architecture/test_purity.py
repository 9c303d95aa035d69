"""What product code may call: time, chance, the environment, commits and tasks each have their one place."""

import ast
import re
from collections.abc import Iterator

import pytest

from shared.testing.source import Module, dotted, modules

CALLS = {
    "the wall clock": (
        r"(\w+\.)*(datetime|date|dt)\.(now|utcnow|today)|time\.(time|time_ns|localtime|gmtime|ctime|strftime)"
        r"|(\w+\.)?func\.(now|current_timestamp|localtimestamp|sysdate)",
        ("shared/clock.py",),
    ),
    "chance": (
        r"(uuid\.)?uuid[146]|random\.\w+|secrets\.\w+|os\.urandom",
        ("shared/ids.py", "shared/security/"),
    ),
    "the environment": (r"os\.(environ(\.\w+)?|getenv|putenv)", ("shared/settings.py",)),
    "a task nobody owns": (
        r"(.*\.)?(create_task|ensure_future|run_coroutine_threadsafe)",
        (
            "shared/app.py",
            "shared/bus/",
            "shared/db/",
            "shared/events/relay.py",  # ends with the send that it accompanies
            "shared/testing/",
            # A stream watches for its browser's leaving, and ends that watch with itself.
            "shared/web/live.py",
            "services/commands/",
            "services/example_bank.py",
        ),
    ),
    "middleware that is not pure ASGI": (r"\w+\.middleware", ()),
}
"""What -> the calls or names that mean it, and the only places of product code where they stand."""

COMMITTERS = ("shared/db/", "shared/bus/")
"""The unit of work commits; a bus commits its own file or a group's offsets, which are no service's database."""
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def calls(module: Module) -> Iterator[str]:
    """A call or a mention (``default_factory=uuid4``) outside of its places."""
    wanted = [re.compile(pattern) for pattern, places in CALLS.values() if not module.lies_in(*places)]
    found = set()
    for node in module.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = dotted(node)
            found |= {(node.lineno, name) for pattern in wanted if name and pattern.fullmatch(name)}
    yield from (f"{line}: {name}" for line, name in sorted(found))


def commits(module: Module) -> Iterator[str]:
    """A commit or rollback outside of the kit's databases."""
    if module.lies_in(*COMMITTERS):
        return
    for node in module.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("commit", "rollback")
        ):
            yield f"{node.lineno}: .{node.func.attr}("


def unfinished(module: Module) -> Iterator[str]:
    """Work left for later."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{number}: {line.strip()}"
    for node in module.nodes:
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{node.lineno}: NotImplementedError"


RULES = [calls, commits, unfinished]


@pytest.mark.parametrize("rule", RULES)
def test_product_code_is_pure(rule) -> None:
    offences = [f"{module.path}:{offence}" for module in modules("shared", "services") for offence in rule(module)]
    assert not offences, "\n".join([str(rule.__doc__), *offences])


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (calls, "import datetime\ndatetime.datetime.now()"),
        (calls, "datetime.now(UTC)"),
        (calls, "date.today()"),
        (calls, "time.time()"),
        (calls, "sa.func.now()"),
        (calls, "uuid.uuid4()"),
        (calls, "uuid4().hex"),
        (calls, "Field(default_factory=uuid4)"),
        (calls, "Field(default_factory=dt.datetime.utcnow)"),
        (calls, "random.random()"),
        (calls, "os.environ['X']"),
        (calls, "os.environ.get('X')"),
        (calls, "os.getenv('X')"),
        (calls, "asyncio.create_task(f())"),
        (calls, "@app.middleware('http')\ndef f(): ..."),
        (commits, "session.commit()"),
        (commits, "await self.engine.session().commit()"),
        (unfinished, "raise NotImplementedError"),
        (unfinished, "x = 1  # TODO later"),
    ],
)
def test_the_rules_see_offences(rule, text: str) -> None:
    module = Module("services/queue/tickets/service.py", f"async def f():\n    {text}" if "await" in text else text)
    assert list(rule(module))


def test_the_rules_let_the_rest_pass() -> None:
    text = "uow.now\nclock.now()\ntime.monotonic()\ntime.perf_counter()\nuuid.uuid5(a, b)\ndatetime.fromisoformat(x)"
    assert [offence for rule in RULES for offence in rule(Module("services/queue/tickets/service.py", text))] == []
