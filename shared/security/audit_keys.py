"""The keys of one service's audit log: the one that signs its checkpoints, and those that signed earlier blocks.

Each service holds a key of its own (``keys/audit/SERVICE.json``), so that one that is taken over cannot speak for
another. Before that all of them signed with a key derived from the bank's keyring; what it signed is believed up to
the block that the file names, and not beyond: every service holds that keyring.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.security.audit import Checkpoint
from shared.security.audit_verifier import Older, vouched
from shared.security.envelope import decode, encode
from shared.security.keyring import Keyring
from shared.security.secretfile import create_once, locked, replace
from shared.security.signing import Ed25519Signer

FOLDER: Final = "audit"
SHARED: Final = "shared"
"""Stands in the file for the key that was derived from the keyring."""


class AuditKeys:
    """What signs and verifies the checkpoints of ``service``; ``own`` is False while it is the keyring's."""

    def __init__(self, service: str, signer: Ed25519Signer, older: Sequence[Older] = (), *, own: bool = True) -> None:
        self.service = service
        self.signer = signer
        self.older = tuple(older)
        self.own = own

    @property
    def keys(self) -> list[Ed25519PublicKey]:
        """The key that signs now: what an auditor is given."""
        return [self.signer.public_key]

    def believes(self, checkpoint: Checkpoint) -> bool:
        """Whether the service itself signed it."""
        return checkpoint.service == self.service and vouched(checkpoint, self.keys, self.older)


def path_of(keys: Path, service: str) -> Path:
    """Where a service's own key lies in the folder of keys."""
    return keys / FOLDER / f"{service}.json"


def shared_keys(service: str, keyring: Keyring) -> AuditKeys:
    """The key that is derived from the keyring, for a service that has none of its own yet."""
    return AuditKeys(service, keyring.audit_signer(), own=False)


def load(keys: Path, service: str, keyring: Keyring) -> AuditKeys:
    """A service's own key, or the keyring's where it has none. Raises ValueError for a file that is another's."""
    try:
        text = path_of(keys, service).read_bytes()
    except FileNotFoundError:
        return shared_keys(service, keyring)
    document = json.loads(text)
    if document["service"] != service:
        raise ValueError(f"{path_of(keys, service)} holds the key of {document['service']}")
    older = [Older(_public(each["key"], keyring), int(each["until"])) for each in document["older"]]
    return AuditKeys(service, Ed25519Signer(Ed25519PrivateKey.from_private_bytes(decode(document["key"]))), older)


def ensure(keys: Path, service: str, sealed: int) -> None:
    """A key for ``service`` unless it has one; ``sealed`` blocks of its log were signed with the keyring's."""
    create_once(path_of(keys, service), _document(service, [{"key": SHARED, "until": sealed}] if sealed else []))


def renew(keys: Path, service: str, sealed: int) -> None:
    """A new key for ``service``; the one before, its own or the keyring's, is believed up to block ``sealed``.

    Raises ValueError where ``sealed`` is below a block for which an older key already vouches.
    """
    path = path_of(keys, service)
    if not path.exists():
        ensure(keys, service, sealed)
        return
    with locked(path):
        before = json.loads(path.read_bytes())
        if any(sealed < each["until"] for each in before["older"]):
            raise ValueError("an older key vouches for later blocks")
        old = Ed25519PrivateKey.from_private_bytes(decode(before["key"])).public_key()
        entry = {"key": encode(old.public_bytes_raw()), "until": sealed}
        replace(path, _document(service, [*before["older"], entry]))


def _document(service: str, older: list[dict[str, Any]]) -> bytes:
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    return json.dumps({"service": service, "key": encode(seed), "older": older}, indent=2).encode()


def _public(text: str, keyring: Keyring) -> Ed25519PublicKey:
    if text == SHARED:
        return keyring.audit_signer().public_key
    return Ed25519PublicKey.from_public_bytes(decode(text))
