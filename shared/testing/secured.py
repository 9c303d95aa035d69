"""A Kafka as banks run it, on loopback: TLS, SCRAM, and nobody may do anything that was not granted."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shared.bus.kafka.connection import KafkaConnection
from shared.ids import token128
from shared.security.secretfile import create_once
from shared.testing.certificates import write_certificates
from shared.testing.kafka import Kafka, Node, loopback

HOST = "localhost"
OWN = ("broker", "controller", "admin")
"""Principals of the cluster itself; ``admin`` may do everything."""


class SecuredKafka(Kafka):
    """One node with TLS, SCRAM and ACLs, its files in ``folder``: passwords made by the first that comes."""

    def __init__(self, folder: Path, marks: Mapping[str, str], users: Mapping[str, str] | None = None) -> None:
        self._passwords = {name: _kept(folder / "passwords" / name) for name in OWN} | dict(users or {})
        fresh = not (folder / "data" / "meta.properties").exists()
        tls = folder / "tls"
        if not (tls / "ca.pem").exists():
            write_certificates(tls, HOST)
        values = dict(marks) | {
            "NAME": HOST,
            "TLS": str(tls),
            "BROKER_PASSWORD": self._passwords["broker"],
            "CONTROLLER_PASSWORD": self._passwords["controller"],
            "CONTROLLERS": f"{HOST}:{marks['CONTROLLER_PORT']}",
        }
        super().__init__(Node(folder, ["base", "secured", "single"], values))
        self.bootstrap = f"{HOST}:{self.node.port}"
        self.ca = tls / "ca.pem"
        if fresh:
            known = {name: password for name, password in self._passwords.items() if name != "controller"}
            self.node.format(
                "--standalone",
                *(f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]" for name, password in known.items()),
            )

    def connection(self, user: str = "admin", password: str | None = None) -> KafkaConnection:
        """How ``user`` reaches it."""
        known = self._passwords[user] if password is None else password
        return KafkaConnection(self.bootstrap, security="SASL_SSL", ca=self.ca, user=user, password=known)

    def environment(self, user: str, password: str | None = None) -> dict[str, str]:
        """The settings with which a process of ``user`` reaches it."""
        return {
            "WANGDIAN_KAFKA": self.bootstrap,
            "WANGDIAN_KAFKA_SECURITY": "SASL_SSL",
            "WANGDIAN_KAFKA_CA": str(self.ca),
            "WANGDIAN_KAFKA_USER": user,
            "WANGDIAN_KAFKA_PASSWORD": self._passwords[user] if password is None else password,
        }


def _kept(path: Path) -> str:
    return create_once(path, token128().encode()).decode()


def write_passwords(folder: Path, names: list[str]) -> dict[str, str]:
    """A password for each of ``names``, in files that ``wangdian provision --passwords`` takes; kept once made."""
    return {name: _kept(folder / name) for name in names}


@contextmanager
def secured_kafka_server(users: Mapping[str, str] | None = None) -> Iterator[SecuredKafka]:
    """A single node that knows ``users`` (name -> password) and has granted nothing; ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="wangdian-kafka-") as work:
        server = SecuredKafka(Path(work), loopback(), users)
        try:
            server.node.start()
            yield server
        finally:
            server.node.stop()
