"""The stack: PostgreSQL, Kafka, an API and a worker of each service, a development identity server, the gateway and
Prometheus, started in order."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.app import lock_folder
from shared.bus.kafka.topics import create
from shared.settings import Settings
from shared.testing.kafka import Kafka, Node, jars
from shared.testing.secured import SecuredKafka, write_passwords
from shared.testing.source import ROOT
from shared.testing.stack.children import Child, StackFailed, answers, stop
from shared.testing.stack.identity import LIFE, Identity
from shared.testing.stack.ports import following, usable
from shared.testing.stack.servers import databases, gateway, identity_server, postgres, prometheus, sealed_blocks
from shared.topics import TOPICS

ROLES = ("serve", "work")
READY_IN = 120.0
MIGRATED_IN = 180.0
PARTITIONS = 3


class Stack:
    """The distributed system on loopback behind ``settings.port``, with everything it keeps below ``settings.data``.

    A context manager: after the block nothing of it runs. ``environment`` goes to every service's process; ``say`` gets
    the progress, a line a step. ``secured`` runs Kafka with TLS, SCRAM and ACLs and each service as its own principal.
    """

    def __init__(
        self,
        services: Sequence[str],
        settings: Settings,
        *,
        say: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
        scraped: bool = True,
        secured: bool = False,
    ) -> None:
        self.services = tuple(services)
        self.settings = settings
        self.folder = settings.data.resolve() / "stack"
        self.logs = self.folder / "logs"
        self.url = f"http://127.0.0.1:{settings.port}"
        self._say = say
        self._environment = dict(environment or {})
        self._scraped = scraped
        self._secured = secured
        self._ports = following(settings.port)
        self.operations = f"http://127.0.0.1:{next(self._ports)}"
        self._prometheus = next(self._ports)
        self._operator = {(name, role): next(self._ports) for name in self.services for role in ROLES}
        self._public = {name: next(self._ports) for name in self.services}
        self._database = next(self._ports)
        self.issuer = f"http://127.0.0.1:{next(self._ports)}"
        self.children: dict[str, Child] = {}
        self.kafka: Kafka | None = None
        self._open = ExitStack()
        self._signed = 0.0

    @property
    def prometheus_url(self) -> str:
        """Where Prometheus answers."""
        return f"http://127.0.0.1:{self._prometheus}"

    def operator_url(self, service: str, role: str = "work") -> str:
        """The operator port of a process: /metrics, /livez, /readyz and the operator's routes."""
        return f"http://127.0.0.1:{self._operator[service, role]}"

    @property
    def targets(self) -> Mapping[tuple[str, str], int]:
        """The operator ports by (service, role): what Prometheus scrapes."""
        return dict(self._operator)

    def public_port(self, service: str) -> int:
        """Where the service's API listens, behind the gateway."""
        return self._public[service]

    def database_url(self, service: str) -> str:
        """The service's database."""
        return f"postgresql://postgres@127.0.0.1:{self._database}/{service}"

    def token(self, role: str, staff: str | None = None, unit: str = "hq") -> str:
        """A bearer token."""
        return self._identity.token(role, staff, unit)

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything, callers before those they call."""
        last = [child for name, child in self.children.items() if name == "postgres"]
        stop([child for child in self.children.values() if child not in last])
        self._open.close()
        stop(last)

    def watch(self) -> None:
        """Return when a part has ended, with :class:`StackFailed` that says which; keeps the services' token fresh."""
        while True:
            for child in self.children.values():
                if not child.alive:
                    raise child.failed("ended")
            if self.kafka is not None and usable(self.kafka.node.port):
                raise StackFailed(f"Kafka ended; see {self.kafka.node.log}")
            if time.monotonic() - self._signed > LIFE.total_seconds() / 2:
                self._sign()
            time.sleep(0.5)

    def start(self, name: str) -> None:
        """Start a part that was killed again, and wait until it is ready."""
        if name == "kafka":
            assert self.kafka is not None
            self.kafka.node.start()
            return
        self.children[name].start()
        self.wait(name)

    def kill(self, name: str) -> None:
        """SIGKILL a part, ``kafka`` too."""
        if name == "kafka":
            assert self.kafka is not None
            self.kafka.node.kill()
        else:
            self.children[name].kill()

    def beside(self, service: str, role: str, number: int, code: Path = ROOT) -> str:
        """Start another process like ``service role``, of the code in the folder ``code``; its name."""
        name = f"{service} {role} {number}"
        self._operator[service, f"{role} {number}"] = next(self._ports)
        child = self._process(service, role, code)
        child.name, child.log = name, self._log(name.replace(" ", "-"))
        child.environment = dict(child.environment) | {
            "PORT": str(next(self._ports)),
            "WANGDIAN_KAFKA_INSTANCE": "",
            "WANGDIAN_OPERATOR_PORT": str(self._operator[service, f"{role} {number}"]),
        }
        self._add(child)
        self.wait(name)
        return name

    def run(self, service: str, *arguments: str, code: Path = ROOT) -> str:
        """Run a command of `wangdian` to its end with the settings of a service; what it said."""
        child = self._process(service, "-".join(arguments[:1]), code)
        child.arguments = [sys.executable, "-m", "services", *arguments]
        child.log.unlink(missing_ok=True)
        child.run(MIGRATED_IN)
        return child.log.read_text()

    def _begin(self) -> None:
        if not usable(self.settings.port):
            raise StackFailed(f"port {self.settings.port} is taken; stop what listens there, or set PORT")
        self._open.enter_context(lock_folder(self.settings.data))
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in self.logs.glob("*.log"):
            old.unlink()
        self._identity = Identity(self.settings, self.folder)
        self._sign()
        self._stores()
        self._say("migrating the databases")
        self._migrate()
        asyncio.run(self._audit_keys())
        self._say("starting the services")
        for name in self.services:
            for role in ROLES:
                self._add(self._process(name, role))
        self._add(identity_server(self.settings, self.url, self.issuer, self._log("issuer")))
        self._add(self._gateway())
        if self._scraped:
            self._add(prometheus(self.folder / "prometheus", self._prometheus, self.targets, self._log("prometheus")))
        for name in self.children:
            self.wait(name)
        self._say("ready")

    def _stores(self) -> None:
        self._say("starting PostgreSQL")
        server = self._add(postgres(self.folder / "postgres", self._database, self._log("postgres")))
        self._say("starting Kafka (the first time its jars are fetched)")
        jars()
        self.kafka = self._broker()
        node = self.kafka.node
        node.launch()
        self._open.callback(node.stop)
        self.wait(server.name)
        node.wait()
        self._provision()

    def _provision(self) -> None:
        assert self.kafka is not None
        if not isinstance(self.kafka, SecuredKafka):
            asyncio.run(_topics(self.kafka))
            return
        passwords = self.folder / "passwords"
        self._passwords = write_passwords(passwords, list(self.services))
        command = ["provision", "--partitions", str(PARTITIONS), "--passwords", str(passwords)]
        child = Child("provision", [sys.executable, "-m", "services", *command], self._log("provision"), {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python'}",
            "WANGDIAN_MODE": "distributed",
            "WANGDIAN_DATABASE_URL": "unused",
            "WANGDIAN_JWKS": str(self._identity.jwks),
            **self.kafka.environment("admin"),
        })  # fmt: skip
        child.run(MIGRATED_IN)

    def _made(self) -> bool:
        try:
            asyncio.run(databases(self.database_url("postgres"), list(self.services)))
        except Exception:
            # Not up yet: it may refuse, close, or say that it is starting.
            return False
        return True

    def _broker(self) -> Kafka:
        folder = self.folder / "kafka"
        fresh = not (folder / "data" / "meta.properties").exists()
        port, controller = str(next(self._ports)), str(next(self._ports))
        marks = {
            "HOST": "127.0.0.1",
            "PORT": port,
            "CONTROLLER_PORT": controller,
            "CONTROLLERS": f"127.0.0.1:{controller}",
            "JOIN_DELAY_MS": "0",
        }
        if self._secured:
            return SecuredKafka(folder, marks)
        node = Node(folder, ["base", "plaintext", "single"], marks)
        if fresh:
            node.format("--standalone")
        return Kafka(node)

    def _migrate(self) -> None:
        jobs = [self._process(name, "migrate") for name in self.services]
        for job in jobs:
            job.start()
        for job in jobs:
            job.finish(MIGRATED_IN)

    async def _audit_keys(self) -> None:
        """Each service's own, before any of them runs; older blocks were signed with the keyring's."""
        for name in self.services:
            self._identity.audit_key(name, await sealed_blocks(self.database_url(name)))

    def _process(self, service: str, role: str, code: Path = ROOT) -> Child:
        assert self.kafka is not None
        bus = {"WANGDIAN_KAFKA": self.kafka.bootstrap}
        if isinstance(self.kafka, SecuredKafka):
            bus = self.kafka.environment(service, self._passwords[service])
        return Child(
            f"{service} {role}",
            [sys.executable, "-m", "services", role, service],
            self._log(f"{service}-{role}"),
            {
                "PYTHONPATH": f"{code}:{code / 'clients' / 'python'}",
                "PORT": str(self._public[service]),
                "WANGDIAN_MODE": "distributed",
                "WANGDIAN_DATA": str(self.settings.data.resolve()),
                "WANGDIAN_OPERATOR_PORT": str(self._operator.get((service, role), 0)),
                "WANGDIAN_DATABASE_URL": self.database_url(service),
                **bus,
                "WANGDIAN_JWKS": str(self._identity.jwks),
                "WANGDIAN_SERVICE_TOKEN_FILE": str(self._identity.service_token),
                "WANGDIAN_TOKEN_ISSUER": self.settings.token_issuer,
                "WANGDIAN_TOKEN_AUDIENCE": self.settings.token_audience,
                "WANGDIAN_OIDC_ISSUER": self.issuer,
                "WANGDIAN_CRYPTO_SUITE": self.settings.crypto_suite,
                "WANGDIAN_PUBLIC_URL": self.settings.public_url or self.url,
                "WANGDIAN_PEERS_URL": self.url,
                "WANGDIAN_KAFKA_INSTANCE": f"{service}-{role}",
                **self._environment,
            },
            cwd=code,
        )

    def _gateway(self) -> Child:
        marks = {f"{name.upper()}_API": f"127.0.0.1:{port}" for name, port in self._public.items()}
        marks |= {"LISTEN": f"127.0.0.1:{self.settings.port}", "RATE": "10000"}
        workers = {name: self._operator[name, "work"] for name in self.services}
        operations = int(self.operations.rpartition(":")[2])
        return gateway(self.folder / "gateway", marks, operations, workers, self._log("gateway"))

    def wait(self, name: str) -> None:
        """Wait until a part that was started is ready."""
        service, _, role = name.partition(" ")
        urls = {
            "gateway": f"{self.url}/healthz",
            "prometheus": f"{self.prometheus_url}/-/ready",
            "issuer": f"{self.issuer}/jwks.json",
        }
        if name == "postgres":
            self.children[name].wait_for(self._made, READY_IN)
            return
        url = urls.get(name) or f"{self.operator_url(service, role)}/readyz"
        self.children[name].wait_for(lambda: answers(url), READY_IN)

    def _add(self, child: Child) -> Child:
        child.start()
        self.children[child.name] = child
        return child

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _sign(self) -> None:
        self._identity.write()
        self._signed = time.monotonic()

    def addresses(self) -> Iterable[tuple[str, str]]:
        """What is where, for the one who started it."""
        yield "gateway", self.url
        yield "identity", f"{self.issuer} (development sign-in)"
        yield "operators", f"{self.operations} (--url for wangdian events, audit)"
        if self._scraped:
            yield "Prometheus", self.prometheus_url
        for service, role in self._operator:
            yield f"{service} {role}", f"{self.operator_url(service, role)}/metrics"
        yield "logs", str(self.logs)


async def _topics(kafka: Kafka) -> None:
    connection = kafka.connection()
    await create(connection, TOPICS, partitions=PARTITIONS)
    await connection.drain()
