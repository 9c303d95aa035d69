"""What can be said of the deployment files without a container engine."""

import json
import re
import shutil
import stat
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml

from services.commands.provision import passwords_in
from services.registry import SERVICES
from shared.testing.kafka import jars, java
from shared.testing.ports import free_port
from shared.testing.source import ROOT
from shared.testing.stack.rehearsal import write_kafka
from shared.testing.stack.servers import gateway, program

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").rglob("*.yaml") if path.name != "kustomization.yaml")
VERSION = "1.37"
GENERATED_LATER = {"secrets"}
"""Folders that `secrets.sh` fills."""


def compose() -> dict:
    return yaml.safe_load(COMPOSE.read_text())


def documents() -> list[dict]:
    return [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]


def of_kind(kind: str) -> dict[str, dict]:
    return {document["metadata"]["name"]: document for document in documents() if document["kind"] == kind}


def compose_schema() -> dict:
    return json.loads((files(check_jsonschema) / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())


def test_compose_follows_its_specification() -> None:
    jsonschema.Draft202012Validator(compose_schema()).validate(compose())


def test_the_specification_sees_offences() -> None:
    broken = compose()
    broken["services"]["gateway"]["readonly"] = True
    assert list(jsonschema.Draft202012Validator(compose_schema()).iter_errors(broken))


def test_compose_runs_each_service_as_api_and_worker_after_its_migration() -> None:
    services = compose()["services"]
    for name in SERVICES:
        assert services[f"{name}-migrate"]["command"] == ["migrate", name]
        for role, command in (("api", "serve"), ("worker", "work")):
            process = services[f"{name}-{role}"]
            assert process["command"] == [command, name]
            assert process["read_only"] and process["cap_drop"] == ["ALL"]
            assert process["depends_on"][f"{name}-migrate"]["condition"] == "service_completed_successfully"


def test_compose_runs_kafka_secured_and_each_service_as_its_own_principal() -> None:
    services = compose()["services"]
    for name in SERVICES:
        for role in ("migrate", "api", "worker"):
            environment = services[f"{name}-{role}"]["environment"]
            assert environment["WANGDIAN_KAFKA_SECURITY"] == "SASL_SSL"
            assert environment["WANGDIAN_KAFKA_USER"] == name
            assert environment["WANGDIAN_KAFKA_PASSWORD"] == f"${{KAFKA_PASSWORD_{name}:?run secrets.sh}}"
    script = (COMPOSE.parent / "secrets.sh").read_text()
    assert f"services=({' '.join(SERVICES)})" in script


def test_each_process_is_given_its_own_signing_key_and_no_other() -> None:
    services, deployments = compose()["services"], of_kind("Deployment")
    for name in SERVICES:
        for role in ("api", "worker"):
            (key,) = services[f"{name}-{role}"]["secrets"]
            assert key == {"source": f"{name}-audit-key", "target": f"/data/keys/audit/{name}.json"}
            assert compose()["secrets"][key["source"]] == {"file": f"./secrets/keys/audit/{name}.json"}
            (volume,) = [
                volume["projected"]["sources"]
                for volume in deployments[f"{name}-{role}"]["spec"]["template"]["spec"]["volumes"]
                if volume["name"] == "keys"
            ]
            item = {"key": f"{name}.json", "path": f"audit/{name}.json"}
            assert volume == [
                {"secret": {"name": "wangdian-keys"}},
                {"secret": {"name": f"{name}-audit-key", "items": [item]}},
            ]
    others = [services[name] for name in services if name.endswith("-migrate") or name == "provision"]
    assert others and "audit" not in yaml.safe_dump(others)


def test_the_files_of_compose_s_kafka_format_a_storage(tmp_path) -> None:
    """Kafka's own tool takes the settings that the rehearsal writes, by the command that compose runs."""
    write_kafka(tmp_path / "kafka", list(SERVICES), str(tmp_path / "data"))
    settings = tmp_path / "kafka" / "server.properties"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert "@" not in settings.read_text() + (tmp_path / "kafka" / "admin.properties").read_text()
    told = subprocess.run(
        [java(), "-cp", f"{jars()}/*", "kafka.tools.StorageTool", "format", "--ignore-formatted", "--standalone",
         "-t", "d2FuZ2RpYW4tcmVoZWFycw", "-c", str(settings), "--add-scram=SCRAM-SHA-512=[name=broker,password=x]"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "data" / "meta.properties").is_file()
    assert set(passwords_in(tmp_path / "kafka" / "passwords")) == set(SERVICES)


def test_what_compose_mounts_is_there() -> None:
    missing = []
    for service in compose()["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            path = COMPOSE.parent / source
            if source.startswith(".") and Path(source).parts[0] not in GENERATED_LATER and not path.exists():
                missing.append(source)
    assert missing == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_valid(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_the_validation_sees_offences() -> None:
    broken = of_kind("Deployment")["queue-api"]
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


def test_each_deployment_has_its_budget_and_scaler_and_no_secret_in_it() -> None:
    deployments, budgets = of_kind("Deployment"), of_kind("PodDisruptionBudget")
    assert set(deployments) == set(budgets) == set(of_kind("HorizontalPodAutoscaler"))
    assert {f"{name}-{role}" for name in SERVICES for role in ("api", "worker")} <= set(deployments)
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
            for variable in container["env"]:
                assert "valueFrom" in variable or not re.search("PASSWORD|URL|TOKEN", variable["name"])


def test_kustomize_lists_every_manifest_but_the_migrations() -> None:
    folder = DEPLOY / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    there = {path.relative_to(folder).as_posix() for path in MANIFESTS}
    assert set(listed) == {path for path in there if not path.startswith("migrations/")}


def test_the_image_has_no_offence_that_hadolint_knows() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert hadolint is not None
    told = subprocess.run([hadolint, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_the_image_copies_what_exists() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert [name for line in lines for name in line.split() if not (ROOT / name).exists()] == []


def test_the_gateway_knows_every_service_and_nginx_takes_its_site(tmp_path) -> None:
    template = (DEPLOY / "gateway" / "wangdian.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)_API\}", template)) == {name.upper() for name in SERVICES}
    assert set(re.findall(r"^upstream (\w+)", template, re.MULTILINE)) == set(SERVICES)
    marks = {f"{name.upper()}_API": f"127.0.0.1:{9000 + i}" for i, name in enumerate(SERVICES)}
    child = gateway(
        tmp_path, {**marks, "LISTEN": f"127.0.0.1:{free_port()}", "RATE": "50"}, free_port(), {}, tmp_path / "log"
    )
    command = [program("nginx", "nginx-light"), "-t", "-q", *child.arguments[1:]]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
