"""Secrets of the running system stand in no log, no metric and no command line; and the gateway slows down a flood."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from services.registry import SERVICES
from shared.testing.ports import free_port
from shared.testing.secured import SecuredKafka
from shared.testing.stack.children import answers, stop
from shared.testing.stack.servers import gateway
from shared.testing.stack.stack import ROLES, Stack

JWT = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")


def values(part: object) -> list[str]:
    """Every text of a JSON document that could be a key."""
    if isinstance(part, dict):
        return [found for value in part.values() for found in values(value)]
    if isinstance(part, list):
        return [found for value in part for found in values(value)]
    return [part] if isinstance(part, str) and len(part) >= 24 else []


@pytest.fixture(scope="module")
def secrets(used: Stack) -> dict[str, str]:
    """Every secret that the processes were given, by where it comes from."""
    assert isinstance(used.kafka, SecuredKafka)
    folder = used.folder
    found = {str(path): path.read_text() for path in (folder / "passwords").iterdir() if not path.name.startswith(".")}
    found |= {str(path): path.read_text() for path in (folder / "kafka" / "passwords").iterdir()}
    keyring = json.loads((used.settings.data / "keys" / "keyring.json").read_text())
    found |= {f"keyring {number}": text for number, text in enumerate(values(keyring))}
    for path in (used.settings.data / "keys" / "audit").glob("*.json"):
        found[str(path)] = json.loads(path.read_text())["key"]
    assert {f"{name}.json" for name in SERVICES} <= {Path(name).name for name in found}
    issuer = (used.settings.data / "keys" / "issuer.pem").read_text().splitlines()[1]
    assert len(found) >= len(SERVICES) + 3 + 1
    return found | {"issuer's key": issuer, "service token": (folder / "service.token").read_text()}


def test_no_secret_is_logged(used: Stack, secrets: dict[str, str]) -> None:
    assert used.kafka is not None
    logs = [*used.logs.glob("*.log"), used.kafka.node.log]
    assert len(logs) > 2 * len(SERVICES)
    for log in logs:
        text = log.read_text(errors="replace")
        assert [name for name, secret in secrets.items() if secret in text] == [], log
        assert JWT.search(text) is None, log


def test_no_secret_is_measured_or_shown_by_an_operator_port(used: Stack, secrets: dict[str, str]) -> None:
    for service in SERVICES:
        for role in ROLES:
            for path in ("/metrics", "/readyz", "/livez"):
                text = httpx.get(f"{used.operator_url(service, role)}{path}").text
                assert [name for name, secret in secrets.items() if secret in text] == [], (service, role, path)


def test_no_secret_is_an_argument_of_a_process(used: Stack, secrets: dict[str, str]) -> None:
    """Arguments are anybody's to read; the environment is the process's own."""
    for child in used.children.values():
        line = Path(f"/proc/{child.pid}/cmdline").read_bytes().decode(errors="replace")
        assert [name for name, secret in secrets.items() if secret in line] == [], child.name


def test_a_flood_from_one_caller_is_slowed_down_and_others_go_on(tmp_path: Path) -> None:
    """Behind the gateway nobody listens: who is let through gets 502, who asks too often 429 and when to ask again."""
    port = free_port()
    marks = {f"{name.upper()}_API": f"127.0.0.1:{free_port()}" for name in SERVICES}
    child = gateway(
        tmp_path, {**marks, "LISTEN": f"127.0.0.1:{port}", "RATE": "1"}, free_port(), {}, tmp_path / "gateway.log"
    )
    url = f"http://127.0.0.1:{port}/queue/v1/visits/x"
    child.start()
    try:
        child.wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 20)

        with httpx.Client() as client:

            def ask(caller: str) -> httpx.Response:
                return client.get(url, headers={"authorization": f"Bearer {caller}"})

            with ThreadPoolExecutor(4) as several:
                flood = list(several.map(lambda _: ask("one"), range(300)))
            other = ask("another")
        refused = [reply for reply in flood if reply.status_code == 429]
        assert 50 < len(refused) < 300
        assert {reply.headers["content-type"] for reply in refused} == {"application/problem+json"}
        assert {(reply.json()["code"], reply.headers["retry-after"]) for reply in refused} == {
            ("too_many_requests", "1")
        }
        assert other.status_code == 502
    finally:
        stop([child])
