"""Where the key-encryption keys live: a port, and the embedded mode's key file (密钥来源)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from shared.security.envelope import decode, encode
from shared.security.secretfile import create_once, locked, replace
from shared.security.suites import random_bytes

LOOKUP: Final = "lookup"
_SIZE: Final = 32
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class RootKey:
    """32 bytes from which the keys of each suite and purpose are derived."""

    kid: str
    material: bytes = field(repr=False)


class KeySource(Protocol):
    """The port to the key store (a file, a vault, a hardware module's wrapped export).

    The key named ``lookup`` serves look-up hashes, link tokens and the audit log's signature. Their results are stored
    and compared, so it is not rotated with the others: replacing it means computing all of them again.
    """

    def active(self) -> RootKey:
        """The key under which new data keys are wrapped."""
        ...

    def get(self, kid: str) -> RootKey:
        """The key with this id. Raises KeyError if there is none (any more)."""
        ...


class FileKeySource:
    """Keys in ``folder``/keyring.json (0600), created when it is first needed; for embedded mode.

    ``{"active": "k1", "keys": {"k1": "<base64url>", "lookup": "<base64url>"}}``
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "keyring.json"
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            text = create_once(self._path, _dump("k1", {"k1": random_bytes(_SIZE), LOOKUP: random_bytes(_SIZE)}))
        self._active, self._keys = _load(text)

    def active(self) -> RootKey:
        """The key under which new data keys are wrapped."""
        return self.get(self._active)

    def get(self, kid: str) -> RootKey:
        """The key with this id; looks into the file again for one that another process added. Raises KeyError."""
        if kid not in self._keys:
            self._active, self._keys = _load(self._path.read_bytes())
        return RootKey(kid, self._keys[kid])

    def rotate(self) -> str:
        """Add a new key and make it the active one; returns its id. Older keys stay for what they wrap."""
        with locked(self._path):
            _, keys = _load(self._path.read_bytes())
            number = 1 + max((int(kid[1:]) for kid in keys if re.fullmatch(r"k\d+", kid)), default=0)
            kid = f"k{number}"
            keys[kid] = random_bytes(_SIZE)
            replace(self._path, _dump(kid, keys))
        self._active, self._keys = kid, keys
        return kid

    def retire(self, kid: str) -> None:
        """Destroy a key after every data key was rewrapped. Raises ValueError for the active and the look-up key."""
        with locked(self._path):
            active, keys = _load(self._path.read_bytes())
            if kid in (active, LOOKUP):
                raise ValueError(f"the key {kid} is in use")
            keys.pop(kid, None)
            replace(self._path, _dump(active, keys))
        self._active, self._keys = active, keys


def _dump(active: str, keys: dict[str, bytes]) -> bytes:
    document = {"active": active, "keys": {kid: encode(material) for kid, material in keys.items()}}
    return json.dumps(document, indent=2).encode()


def _load(text: bytes) -> tuple[str, dict[str, bytes]]:
    document: Any = json.loads(text)
    keys = {kid: decode(material) for kid, material in document["keys"].items()}
    if document["active"] not in keys or LOOKUP not in keys:
        raise ValueError("the key file lacks its active or its look-up key")
    if not all(_KID.fullmatch(kid) and len(material) == _SIZE for kid, material in keys.items()):
        raise ValueError("the key file holds a malformed key")
    return document["active"], keys
