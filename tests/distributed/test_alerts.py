"""Rules, alerts, dashboards and runbooks agree with each other and with what the code exports."""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from services.registry import load
from shared.testing.source import ROOT
from shared.testing.stack.servers import program
from shared.testing.system import system

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs" / "runbooks"
THE_SERVERS_OWN = {"up", "ALERTS"}
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def rules() -> list[dict]:
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def queries() -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]


def metrics_in(expression: str) -> set[str]:
    """Names of metrics: what has our prefix, a colon, or is one of the client's or the server's own."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    ours = re.compile(r"wangdian_|process_|slo_|\w+:\w+:|up$|ALERTS$")
    return {name for name in NAME.findall(bare) if ours.match(name)}


async def exported(tmp_path) -> set[str]:
    """Every sample's name of a running system's /metrics, families without a child yet too."""
    async with system(load(), tmp_path) as running:
        text = (await running.client.get("/metrics")).text
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE):
        found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


async def test_every_metric_of_rules_and_dashboards_is_exported(tmp_path) -> None:
    known = await exported(tmp_path) | THE_SERVERS_OWN | {rule["record"] for rule in rules() if "record" in rule}
    asked = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()] + list(queries())
    unknown = {where: missing for where, text in asked if (missing := metrics_in(text) - known)}
    assert unknown == {}
    assert all(metrics_in(text) or "vector(" in text for _, text in asked)


def promtool(*arguments: str) -> None:
    told = subprocess.run(
        [program("promtool", "prometheus"), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_promtool_takes_the_configuration_and_the_rules() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))


def test_promtool_takes_the_configuration_for_kubernetes(tmp_path) -> None:
    """Debian's promtool is built without discovery in Kubernetes: that one key is left out."""
    config = yaml.safe_load((PROMETHEUS / "kubernetes.yml").read_text())
    discovery = config["scrape_configs"][0].pop("kubernetes_sd_configs")
    assert discovery == [{"role": "pod", "namespaces": {"names": ["wangdian"]}}]
    (tmp_path / "kubernetes.yml").write_text(yaml.safe_dump(config))
    promtool("check", "config", "--syntax-only", str(tmp_path / "kubernetes.yml"))


def test_every_alert_fires_and_clears() -> None:
    tested = {test["name"] for test in yaml.safe_load((PROMETHEUS / "tests" / "alerts.yml").read_text())["tests"]}
    assert tested == set(alerts())
    promtool("test", "rules", "tests/alerts.yml")


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(alerts())
    listed = set(re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text()))
    assert listed == pages


@pytest.mark.parametrize("name", sorted(alerts()))
def test_a_page_says_what_to_do(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {name} ")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["First look", "Commands", "When to call whom"]
    rule = alerts()[name]
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{name}.md"
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert {"summary", "summary_zh"} <= set(rule["annotations"])


def test_pages_name_commands_that_exist() -> None:
    from typer.main import get_command

    from services.__main__ import app

    root = get_command(app)
    unknown = set()
    for path in RUNBOOKS.glob("*.md"):
        for words in re.findall(r"^wangdian ([a-z-]+(?: [a-z]+)?)", path.read_text(), re.MULTILINE):
            command = root
            for word in words.split():
                command = getattr(command, "commands", {}).get(word)
                if command is None:
                    unknown.add(words)
                    break
    assert unknown == set()
