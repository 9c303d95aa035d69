"""Files that the containers of a rehearsal need (``deploy/compose/secrets.sh``): identity, and a secured Kafka's."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from shared.settings import Settings
from shared.testing.certificates import write_certificates
from shared.testing.kafka import properties
from shared.testing.secured import OWN, write_passwords
from shared.testing.stack.identity import Identity

VALID = timedelta(days=365)
NAME = "kafka"
MOUNTED = "/run/kafka"


def write_kafka(folder: Path, services: Sequence[str], data: str = "/var/lib/kafka/data") -> None:
    """Certificates, passwords of all principals, the server's settings and those of its tools, in ``folder``."""
    passwords = write_passwords(folder / "passwords", [*OWN, *services])
    if not (folder / "tls" / "broker.pem").exists():
        write_certificates(folder / "tls", NAME, VALID)
    marks = {
        "NODE": "1",
        "HOST": "0.0.0.0",  # nosec B104 # noqa: S104 - inside its container
        "NAME": NAME,
        "PORT": "9092",
        "CONTROLLER_PORT": "9093",
        "CONTROLLERS": f"{NAME}:9093",
        "DATA": data,
        "JOIN_DELAY_MS": "3000",
        "TLS": f"{MOUNTED}/tls",
        "BROKER_PASSWORD": passwords["broker"],
        "CONTROLLER_PASSWORD": passwords["controller"],
        "USER": "admin",
        "PASSWORD": passwords["admin"],
    }
    for name, parts in {"server": ("base", "secured", "single"), "admin": ("client",)}.items():
        path = folder / f"{name}.properties"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(properties(parts, marks), encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    identity = Identity(Settings(data=target), target)
    identity.write()
    for service in sys.argv[2:]:
        identity.audit_key(service, 0)
    write_kafka(target / "kafka", sys.argv[2:])
