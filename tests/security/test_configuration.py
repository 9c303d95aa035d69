"""What the system says to strangers, and settings with which it refuses to start."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.registry import SERVICES
from shared.security.issuer import DevelopmentIssuer
from shared.security.route_table import route_access
from shared.settings import Settings
from shared.testing.ports import free_port
from shared.testing.source import ROOT
from tests.security.surface import APP, DOCUMENT, operations

DISTRIBUTED = {"mode": "distributed", "database_url": "postgresql://u:3kd9-Yq1@h/d", "kafka": "h:1", "jwks": "/jwks"}
METHODS = ("TRACE", "CONNECT", "OPTIONS", "PROPFIND")


@pytest.mark.asyncio(loop_scope="module")
async def test_answers_tell_no_versions_and_allow_no_other_origin(bank):
    for path in ("/queue/v1/visits/x", "/livez", "/nowhere", "/queue/v1/classes"):
        headers = bank.running.headers("teller", staff="T0001", units=("*",)) | {"origin": "https://evil.example"}
        answer = await bank.running.client.get(path, headers=headers)
        named = {name.lower() for name in answer.headers}
        assert not named & {"server", "x-powered-by", "access-control-allow-origin", "access-control-allow-credentials"}
        for word in ("Traceback", "uvicorn", "sqlalchemy", str(ROOT), "site-packages"):
            assert word not in answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_methods_that_nobody_declared_are_refused(bank):
    for operation in operations():
        for method in METHODS:
            answer = await bank.running.client.request(method, operation.target(bank), headers=operation.headers(bank))
            assert answer.status_code in {404, 405}, (method, operation.path)


def test_the_inventory_is_whole():
    """Every route but a page's is in the document, under its service and a version; none is deprecated or hidden."""
    for row in route_access(APP.routes):
        path = row.path
        if path in {"/livez", "/readyz", "/metrics", "/openapi.json"} or "/v1/" not in path:
            continue
        assert row.method.lower() in DOCUMENT["paths"][path], path
        head, version = path.split("/")[1:3]
        assert head in {*SERVICES, "operator"} and version == "v1", path
    assert not [one.path for one in operations() if one.about.get("deprecated")]


@pytest.mark.parametrize(
    "password", ["", "x", "changeme", "password", "secret", "postgres", "wangdian", "Admin", "123456"]
)
def test_a_default_password_of_the_database_is_refused(password):
    with pytest.raises(ValueError, match="WANGDIAN_DATABASE_URL"):
        Settings(**DISTRIBUTED | {"database_url": f"postgresql://queue:{password}@db.bank.example/queue"})


@pytest.mark.parametrize("password", ["x", "changeme", "Password", "secret", "kafka", "wangdian", "123456"])
def test_a_default_password_of_kafka_is_refused(password):
    with pytest.raises(ValueError, match="WANGDIAN_KAFKA_PASSWORD"):
        Settings(**DISTRIBUTED, kafka_security="SASL_SSL", kafka_user="queue", kafka_password=password)


def test_what_a_bank_would_set_is_taken_and_no_secret_is_in_its_text():
    settings = Settings(**DISTRIBUTED, kafka_security="SASL_SSL", kafka_user="queue", kafka_password="Zc4-9wPb2kQe7tLx")
    assert "Zc4-9wPb2kQe7tLx" not in f"{settings!r} {settings}"
    assert "3kd9-Yq1" not in f"{settings!r} {settings}"
    assert Settings(**DISTRIBUTED | {"database_url": "postgresql://queue@db/queue"}), "peer or certificate"


def start(environment: dict[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """`wangdian work queue` with these settings; it must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "services", "work", "queue"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python'}", "PORT": str(free_port()),
             "WANGDIAN_OPERATOR_PORT": str(free_port()), "WANGDIAN_MODE": "distributed",
             "WANGDIAN_DATABASE_URL": "postgresql://queue:3kd9-Yq1@127.0.0.1:1/queue", "WANGDIAN_KAFKA": "127.0.0.1:1",
             "WANGDIAN_JWKS": str(tmp_path / "jwks.json"), "WANGDIAN_DATA": str(tmp_path), **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WANGDIAN_DATABASE_URL": "postgresql://queue:changeme@127.0.0.1:1/queue"}, "WANGDIAN_DATABASE_URL"),
        ({"WANGDIAN_KAFKA_SECURITY": "SASL_SSL", "WANGDIAN_KAFKA_USER": "q"}, "WANGDIAN_KAFKA_PASSWORD"),
        ({"WANGDIAN_JWKS": ""}, "WANGDIAN_JWKS"),
        ({}, "keyring.json"),
    ],
    ids=["default password", "no password", "no key set", "no keys of the bank's"],
)
def test_a_process_refuses_to_start_and_says_which_setting(tmp_path, environment, said):
    ended = start(environment, tmp_path)
    assert ended.returncode in {2, 3}, ended.stderr
    assert said in ended.stderr
    assert "changeme" not in ended.stderr + ended.stdout
    assert "3kd9-Yq1" not in ended.stderr + ended.stdout


def test_the_development_issuer_signs_nothing_in_distributed_mode(tmp_path):
    DevelopmentIssuer(tmp_path / "keys", "https://issuer.wangdian.example", "wangdian", None)
    told = subprocess.run(
        [sys.executable, "-m", "services", "token", "--role", "operator"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python'}", "WANGDIAN_MODE": "distributed", "WANGDIAN_KAFKA": "h:1",
             "WANGDIAN_DATABASE_URL": "postgresql://h/d", "WANGDIAN_JWKS": "x", "WANGDIAN_DATA": str(tmp_path)},
    )  # fmt: skip
    assert (told.returncode, told.stdout) == (2, "")
