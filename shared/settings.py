"""All settings of the product, read from the environment here and nowhere else (prefix ``WANGDIAN_``)."""

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Role = Literal["api", "relay", "consume", "timers"]
ALL_ROLES: frozenset[Role] = frozenset({"api", "relay", "consume", "timers"})

SHORTEST_PASSWORD = 8
DEFAULT_PASSWORDS = frozenset(
    {"changeme", "changeit", "password", "passw0rd", "postgres", "wangdian", "kafka-secret", "admin-secret", "12345678"}
)


def guessed(password: str) -> bool:
    """Whether a password is one that anybody would try: short, or what examples and images come with."""
    return len(password) < SHORTEST_PASSWORD or password.lower() in DEFAULT_PASSWORDS


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def trusted_url(url: str) -> bool:
    """Whether what is sent to ``url`` can be read on the way by nobody: TLS, or this machine's own loopback."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


class IdentityClaims(BaseModel):
    """Where the bank's identity server says who a person is (身份声明的映射).

    ``roles``, ``staff`` and ``units`` are names of claims; ``role_names`` and ``unit_names`` turn the bank's groups and
    branch codes into ours, a name that is not in them being none of ours. Empty ones take the names as they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: str = "roles"
    staff: str = "staff_id"
    units: str = "units"
    role_names: dict[str, str] = {}
    unit_names: dict[str, str] = {}


class Settings(BaseSettings):
    """One validated set of settings.

    Two pairs exist and no other: *embedded* (SQLite files and the embedded log under ``data``) and
    *distributed* (PostgreSQL by ``database_url``, Kafka by ``kafka``).

    ``kafka`` lists bootstrap addresses, ``host:port`` with commas between; ``kafka_ca`` is a PEM file (the system's
    authorities when empty); ``kafka_instance`` makes this worker a static member of its groups: its own name, the same
    after a restart.
    """

    model_config = SettingsConfigDict(env_prefix="WANGDIAN_", extra="ignore")

    mode: Literal["embedded", "distributed"] = "embedded"
    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535, validation_alias="PORT")
    operator_port: int = Field(default=9000, ge=0, le=65535)
    roles: frozenset[Role] = ALL_ROLES
    database_url: str = Field(default="", repr=False)
    statement_timeout_ms: int = Field(default=5000, ge=100, le=60_000)
    kafka: str = ""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca: Path | None = None
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_instance: str = ""
    partitions: int = Field(default=3, ge=1, le=256)
    jwks: str = ""
    token_issuer: str = "https://issuer.wangdian.example"  # noqa: S105 - an issuer's name, not a secret
    token_audience: str = "wangdian"  # noqa: S105 - an audience's name, not a secret
    oidc_issuer: str = ""
    oidc_client: str = "wangdian-pages"
    oidc_secret_file: str = ""
    oidc_scope: str = "openid profile"
    oidc_claims: IdentityClaims = IdentityClaims()
    crypto_suite: Literal["intl", "sm"] = "intl"
    public_url: str = ""
    files_folder: Path | None = None
    peers_url: str = ""
    service_token_file: str = ""
    operator_token_file: str = ""
    example_bank: bool = True
    idempotency_hours: int = Field(default=72, ge=1)
    outbox_keep_hours: int = Field(default=24, ge=1)
    inbox_keep_days: int = Field(default=30, ge=15)
    body_limit: int = 1 << 20
    upload_limit: int = 256 << 20

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if self.mode == "embedded" and (self.database_url or self.kafka):
            raise ValueError(
                "embedded mode keeps SQLite and its own log: unset WANGDIAN_DATABASE_URL and WANGDIAN_KAFKA"
            )
        if self.mode == "distributed" and not (self.database_url and self.kafka and self.jwks):
            raise ValueError("distributed mode needs WANGDIAN_DATABASE_URL, WANGDIAN_KAFKA and WANGDIAN_JWKS")
        if self.kafka_security == "SASL_SSL" and not (self.kafka_user and self.kafka_password.get_secret_value()):
            raise ValueError("SASL_SSL needs WANGDIAN_KAFKA_USER and WANGDIAN_KAFKA_PASSWORD")
        if self.mode == "distributed":
            self._refuse_defaults()
        if self.oidc_issuer:
            self._sign_in()
        return self

    def _sign_in(self) -> None:
        if not trusted_url(self.oidc_issuer):
            raise ValueError("WANGDIAN_OIDC_ISSUER must be https (http only on this machine's loopback)")
        if not trusted_url(self.base_url):
            raise ValueError("signing in needs WANGDIAN_PUBLIC_URL: the https address that people's browsers use")
        if self.oidc_client == self.token_audience:
            # Else what the identity server says to the pages would pass as a token of the API.
            raise ValueError("WANGDIAN_OIDC_CLIENT and WANGDIAN_TOKEN_AUDIENCE must differ")

    def _refuse_defaults(self) -> None:
        given = urlsplit(self.database_url).password
        if given is not None and guessed(given):
            raise ValueError("the password in WANGDIAN_DATABASE_URL is empty, too short or a default one")
        if self.kafka_security == "SASL_SSL" and guessed(self.kafka_password.get_secret_value()):
            raise ValueError("WANGDIAN_KAFKA_PASSWORD is too short or a default one")

    @property
    def development_sign_in(self) -> bool:
        """Whether anybody signs in as anybody: embedded mode without an identity server."""
        return self.mode == "embedded" and not self.oidc_issuer

    @property
    def base_url(self) -> str:
        """Where callers reach the system; the command line and printed links use it."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def gateway_url(self) -> str:
        """Where services reach each other in distributed mode: the gateway, from inside."""
        return self.peers_url or self.base_url


def crash_point() -> str:
    """The step at which the chaos suite asks this process to kill itself (``WANGDIAN_CRASH_AT``), or ''."""
    return os.environ.get("WANGDIAN_CRASH_AT", "")


def chromium() -> str:
    """The browser that the suite drives (``WANGDIAN_CHROMIUM``), or '' for one found by its name."""
    return os.environ.get("WANGDIAN_CHROMIUM", "")
