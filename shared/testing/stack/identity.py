"""What a bank's identity server and secret store would give: a JWKS file, the services' token, the keyring."""

import json
from datetime import timedelta
from pathlib import Path

from shared.clock import SystemClock
from shared.security.audit_keys import ensure
from shared.security.issuer import DevelopmentIssuer
from shared.security.keyring import FileKeySource
from shared.security.secretfile import replace
from shared.settings import Settings

LIFE = timedelta(hours=12)


class Identity:
    """Signs with the key of the data folder, as `wangdian token` does, and publishes the public half as a file."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        keys = self._keys = settings.data / "keys"
        self._issuer = DevelopmentIssuer(keys, settings.token_issuer, settings.token_audience, SystemClock())
        FileKeySource(keys)
        self.jwks = folder / "jwks.json"
        self.service_token = folder / "service.token"

    def write(self) -> None:
        """The JWKS, and a fresh token of the services (again before :data:`LIFE` is over)."""
        replace(self.jwks, json.dumps(self._issuer.jwks()).encode())
        replace(self.service_token, self.token("service", unit="*", ttl=LIFE).encode())

    def audit_key(self, service: str, sealed: int) -> None:
        """A key of its own for the audit log of ``service``, of which ``sealed`` blocks are there."""
        ensure(self._keys, service, sealed)

    def token(self, role: str, staff: str | None = None, unit: str = "hq", ttl: timedelta = timedelta(hours=1)) -> str:
        """A bearer token."""
        return self._issuer.issue(role, sub=staff or f"{role}@{unit}", staff_id=staff, units=[unit], ttl=ttl)
