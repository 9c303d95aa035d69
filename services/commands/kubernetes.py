"""Kubernetes manifests of the services (部署清单): six equal services need one description, not six copies.

``make generate`` writes ``deploy/kubernetes/services/<name>.yaml`` and ``migrations/<name>.yaml``, and puts the
gateway's site and Prometheus' rules into maps; what there is once (namespace, gateway) is written by hand beside them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from services.commands.kubernetes_kafka import provisioning
from services.registry import SERVICES

ROOT: Final = Path(__file__).resolve().parents[2]
NAMESPACE: Final = "wangdian"
IMAGE: Final = "registry.bank.example/wangdian:0.1.0"
API, OPERATOR = 8000, 9000
WORKERS: Final = {"queue": 12, "aggregator": 6}
"""Most workers of a service: more than its busiest topic has partitions would stand idle."""
UPLOADS: Final = ("queue",)
"""Services whose API takes files that its workers read: they share a volume."""

Manifest = Mapping[str, Any]


def _meta(name: str, service: str, role: str = "") -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": service, "app.kubernetes.io/part-of": "wangdian"}
    if role:
        labels["app.kubernetes.io/component"] = role
    return {"name": name, "namespace": NAMESPACE, "labels": labels}


def _selector(service: str, role: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": service, "app.kubernetes.io/component": role}


def _secret(name: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _environment(service: str, *, database: str) -> list[dict[str, Any]]:
    return [
        {"name": "WANGDIAN_DATA", "value": "/data"},
        {"name": "WANGDIAN_HOST", "value": "0.0.0.0"},  # nosec B104 # noqa: S104 - its pod's; policies say who comes in
        _secret("WANGDIAN_DATABASE_URL", f"{service}-database", database),
        _secret("WANGDIAN_KAFKA_USER", f"{service}-kafka", "username"),
        _secret("WANGDIAN_KAFKA_PASSWORD", f"{service}-kafka", "password"),
    ]


def _container(service: str, command: str, role: str) -> dict[str, Any]:
    mounts = [
        {"name": "keys", "mountPath": "/data/keys", "readOnly": True},
        {"name": "token", "mountPath": "/run/wangdian/token", "readOnly": True},
        {"name": "kafka-ca", "mountPath": "/etc/wangdian/kafka", "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # nosec B108 # noqa: S108 - a volume of the pod's own
    ]
    if service in UPLOADS:
        mounts.append({"name": "imports", "mountPath": "/data/imports"})
    container: dict[str, Any] = {
        "name": role,
        "image": IMAGE,
        "args": [command, service],
        "envFrom": [{"configMapRef": {"name": "wangdian"}}],
        "env": _environment(service, database="url" if command != "migrate" else "owner-url"),
        "resources": {
            "requests": {"cpu": "500m" if role == "api" else "250m", "memory": "192Mi"},
            "limits": {"memory": "384Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }
    if command == "migrate":
        return container

    def probe(path: str, period: int, failures: int) -> dict[str, Any]:
        return {
            "httpGet": {"path": path, "port": "operator"},
            "periodSeconds": period,
            "timeoutSeconds": 3,
            "failureThreshold": failures,
        }

    ports = [{"name": "operator", "containerPort": OPERATOR}]
    if role == "api":
        ports.insert(0, {"name": "http", "containerPort": API})
    return container | {
        "ports": ports,
        "startupProbe": probe("/readyz", 2, 60),
        "readinessProbe": probe("/readyz", 5, 2),
        # Only a loop that stopped turning ends a process: a database that is away must not start a storm of restarts.
        "livenessProbe": probe("/livez", 10, 3),
        # Until every gateway has heard that this pod is going, requests still come.
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }


def _keys(service: str, command: str) -> list[dict[str, Any]]:
    """The bank's keyring, and for processes that serve the one key that signs their own audit log."""
    keys: list[dict[str, Any]] = [{"secret": {"name": "wangdian-keys"}}]
    if command != "migrate":
        item = {"key": f"{service}.json", "path": f"audit/{service}.json"}
        keys.append({"secret": {"name": f"{service}-audit-key", "items": [item]}})
    return keys


def _pod(service: str, command: str, role: str) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": "keys", "projected": {"defaultMode": 0o440, "sources": _keys(service, command)}},
        {"name": "token", "secret": {"secretName": "wangdian-service-token", "defaultMode": 0o440}},
        {"name": "kafka-ca", "configMap": {"name": "kafka-ca"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
    if service in UPLOADS:
        volumes.append({"name": "imports", "persistentVolumeClaim": {"claimName": f"{service}-imports"}})
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(service, command, role)],
        "volumes": volumes,
    }
    if command != "migrate":
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selector(service, role)},
            }
        ]
    return pod


def _deployment(service: str, role: str) -> Manifest:
    command = "serve" if role == "api" else "work"
    template = {
        "metadata": {
            "labels": _meta("", service, role)["labels"],
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": str(OPERATOR)},
        },
        "spec": _pod(service, command, role),
    }
    # No number of replicas: the autoscaler owns it.
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(f"{service}-{role}", service, role),
        "spec": {
            "revisionHistoryLimit": 3,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": _selector(service, role)},
            "template": template,
        },
    }


def _autoscaler(service: str, role: str) -> Manifest:
    cpu = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
    }
    lag = {
        "type": "External",
        "external": {
            # Served by the Prometheus adapter (monitoring.yaml).
            "metric": {"name": "wangdian_consumer_lag", "selector": {"matchLabels": {"service": service}}},
            "target": {"type": "AverageValue", "averageValue": "2000"},
        },
    }
    api = role == "api"
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _meta(f"{service}-{role}", service, role),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{service}-{role}"},
            "minReplicas": 3 if api else 2,
            "maxReplicas": 24 if api and service == "queue" else 6 if api else WORKERS.get(service, 4),
            "metrics": [cpu] if api else [cpu, lag],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
        },
    }


def _budget(service: str, role: str) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(f"{service}-{role}", service, role),
        "spec": {
            "minAvailable": 2 if role == "api" else 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": _selector(service, role)},
        },
    }


def _network(service: str) -> dict[str, Any]:
    def pods(name: str) -> dict[str, Any]:
        return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}

    def namespace(kind: str) -> dict[str, Any]:
        return {"namespaceSelector": {"matchLabels": {"wangdian.example/kind": kind}}}

    def tcp(*ports: int) -> list[dict[str, Any]]:
        return [{"protocol": "TCP", "port": port} for port in ports]

    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _meta(service, service),
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": service}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [pods("gateway")], "ports": tcp(API)},
                {"from": [namespace("monitoring")], "ports": tcp(OPERATOR)},
            ],
            "egress": [
                {"to": [namespace("database")], "ports": tcp(5432)},
                {"to": [namespace("kafka")], "ports": tcp(9093)},
                {"to": [namespace("identity")], "ports": tcp(443)},
                {"to": [pods("gateway")], "ports": tcp(8080)},
                {"to": [namespace("dns")], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]},
            ],
        },
    }


def _front(service: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(f"{service}-api", service, "api"),
        "spec": {
            "selector": _selector(service, "api"),
            "ports": [{"name": "http", "port": API, "targetPort": "http"}],
        },
    }


def _claim(service: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _meta(f"{service}-imports", service),
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "20Gi"}}},
    }


def migration(service: str) -> dict[str, Any]:
    """The job that brings a service's database to this image's schema, with the owner's credentials."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _meta(f"{service}-migrate", service, "migrate"),
        "spec": {
            # It gives up on a lock after two seconds and is tried again.
            "backoffLimit": 10,
            "activeDeadlineSeconds": 900,
            "ttlSecondsAfterFinished": 86400,
            "template": {
                "metadata": {"labels": _meta("", service, "migrate")["labels"]},
                "spec": _pod(service, "migrate", "migrate") | {"restartPolicy": "Never"},
            },
        },
    }


def manifests(service: str) -> list[Manifest]:
    """Everything that a service runs as."""
    found = [_front(service), _network(service)]
    if service in UPLOADS:
        found.insert(0, _claim(service))
    for role in ("api", "worker"):
        found += [_deployment(service, role), _autoscaler(service, role), _budget(service, role)]
    return found


def _text(documents: Sequence[Manifest]) -> str:
    head = "# Generated by `make generate` from services/commands/kubernetes.py.\n"

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    # Files stay readable in a map: as they are, not as one quoted line.
    Plain.add_representer(
        str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)
    )
    return head + yaml.dump_all(documents, Dumper=Plain, sort_keys=False, allow_unicode=True)


def _map(name: str, *sources: str) -> Manifest:
    data = {Path(source).name: (ROOT / source).read_text(encoding="utf-8") for source in sources}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(name, name), "data": data}


def files() -> dict[str, str]:
    """Each generated manifest by its path in the repository."""
    folder = "deploy/kubernetes"
    found = {f"{folder}/services/{name}.yaml": _text(manifests(name)) for name in SERVICES}
    found[f"{folder}/maps.yaml"] = _text(
        [
            _map("gateway", "deploy/gateway/wangdian.conf.template", "deploy/gateway/tls.conf"),
            _map(
                "prometheus",
                "deploy/prometheus/kubernetes.yml",
                "deploy/prometheus/adapter.yml",
                "deploy/prometheus/rules/recording.yml",
                "deploy/prometheus/rules/alerts.yml",
            ),
        ]
    )
    found[f"{folder}/migrations/kafka.yaml"] = _text(provisioning(migration("kafka"), _network("kafka")))
    return found | {f"{folder}/migrations/{name}.yaml": _text([migration(name)]) for name in SERVICES}
