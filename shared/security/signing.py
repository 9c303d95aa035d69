"""Ed25519 signing keys, and the port through which checkpoints are signed."""

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from shared.security.jwk import okp_jwk
from shared.security.secretfile import create_once


class Signer(Protocol):
    """Signs on behalf of a service; the key may live in a file or in a hardware module."""

    @property
    def key_id(self) -> str:
        """The name of the key, stable for its life."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of ``message``, 64 bytes."""
        ...


class Ed25519Signer:
    """Signs with a key in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._key_id = okp_jwk(key.public_key())["kid"]

    @property
    def key_id(self) -> str:
        """The thumbprint of the public key (RFC 7638)."""
        return self._key_id

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that verifies: what an auditor is given."""
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of ``message``, 64 bytes."""
        return self._key.sign(message)


def load_or_create_ed25519(path: Path) -> Ed25519PrivateKey:
    """The private key at ``path`` (PKCS#8 PEM); processes that start together agree on one new key.

    Raises ValueError if the file holds something else.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        fresh = Ed25519PrivateKey.generate()
        pem = create_once(path, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the key file does not hold an Ed25519 key")
    return key
