"""The job that provisions Kafka from inside Kubernetes: topics, principals, rights, as the cluster's administrator."""

from typing import Any, Final

from services.registry import SERVICES

Manifest = dict[str, Any]
PASSWORDS: Final = "/run/wangdian/passwords"
KEPT: Final = ("kafka-ca", "tmp")
"""Volumes of a migration that this one needs too."""


def provisioning(migration: Manifest, network: Manifest) -> list[Manifest]:
    """The job and its network policy, narrowed from ``migration`` and ``network``, those of a service named kafka."""
    labels = migration["metadata"]["labels"] | {"app.kubernetes.io/component": "provision"}
    pod = migration["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    container["name"] = "provision"
    container["args"] = ["provision", "--replication", "3", "--passwords", PASSWORDS]
    container["env"] = [
        {"name": one["name"], "value": "unused"} if one["name"] == "WANGDIAN_DATABASE_URL" else one
        for one in container["env"]
    ]
    container["volumeMounts"] = [
        {"name": "passwords", "mountPath": PASSWORDS, "readOnly": True},
        *(mount for mount in container["volumeMounts"] if mount["name"] in KEPT),
    ]
    # Each service's password as a file of its name, from the secret that the service itself gets.
    sources = [{"secret": {"name": f"{name}-kafka", "items": [{"key": "password", "path": name}]}} for name in SERVICES]
    pod["volumes"] = [
        {"name": "passwords", "projected": {"defaultMode": 0o440, "sources": sources}},
        *(volume for volume in pod["volumes"] if volume["name"] in KEPT),
    ]
    migration["metadata"] |= {"name": "kafka-provision", "labels": labels}
    migration["spec"]["template"]["metadata"]["labels"] = labels
    network["spec"]["ingress"] = []
    ports = {53, 9093}
    network["spec"]["egress"] = [
        rule for rule in network["spec"]["egress"] if {port["port"] for port in rule["ports"]} & ports
    ]
    return [network, migration]
