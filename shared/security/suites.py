"""The two cipher suites for personal data: international and Chinese national algorithms (国密)."""

import hashlib
import secrets
from abc import ABC, abstractmethod
from hmac import digest as one_shot
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE: Final = 12
TAG: Final = 16


def random_bytes(size: int) -> bytes:
    """Key material and nonces from the operating system; the only place of this package that draws them."""
    return secrets.token_bytes(size)


class Suite(ABC):
    """An authenticated cipher with a hash of the same family. ``id`` is written into every ciphertext."""

    id: ClassVar[str]
    key_size: ClassVar[int]
    hash: ClassVar[type[hashes.HashAlgorithm]]

    @abstractmethod
    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag; ``bound`` is authenticated with it but not contained."""

    @abstractmethod
    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plain bytes. Raises :class:`cryptography.exceptions.InvalidTag` if anything was changed."""

    def digest(self, data: bytes) -> bytes:
        """The suite's 256-bit hash."""
        hasher = hashes.Hash(self.hash())
        hasher.update(data)
        return hasher.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC with the suite's hash, 256 bits."""
        mac = hmac.HMAC(key, self.hash())
        mac.update(data)
        return mac.finalize()

    def derive(self, root: bytes, purpose: str, size: int | None = None) -> bytes:
        """A key for one purpose from a root key (HKDF, RFC 5869), so that no two uses share a key."""
        return HKDF(
            self.hash(), size or self.key_size, salt=None, info=f"wangdian.{self.id}.{purpose}".encode()
        ).derive(root)


class International(Suite):
    """AES-256-GCM (NIST SP 800-38D) with SHA-256."""

    id = "intl"
    key_size = 32
    hash = hashes.SHA256

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag."""
        return AESGCM(key).encrypt(nonce, plain, bound)

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plain bytes, or InvalidTag."""
        return AESGCM(key).decrypt(nonce, sealed, bound)

    def digest(self, data: bytes) -> bytes:
        """SHA-256, by the standard library's faster path."""
        return hashlib.sha256(data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC-SHA-256, by the standard library's faster path."""
        return one_shot(key, data, "sha256")


class National(Suite):
    """SM4-GCM (GB/T 32907, RFC 8998) with SM3 (GB/T 32905)."""

    id = "sm"
    key_size = 16
    hash = hashes.SM3

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag."""
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plain bytes, or InvalidTag."""
        if len(sealed) < TAG:
            raise InvalidTag
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, sealed[-TAG:])).decryptor()
        decryptor.authenticate_additional_data(bound)
        return decryptor.update(sealed[:-TAG]) + decryptor.finalize()


SUITES: Final[dict[str, Suite]] = {suite.id: suite for suite in (International(), National())}
