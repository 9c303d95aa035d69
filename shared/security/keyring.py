"""Keys of the personal data: one data key per record, wrapped by a key-encryption key that can be rotated (密钥环).

A record's fields are encrypted under its data key, and the database keeps that key wrapped. Rotation wraps it anew and
touches no ciphertext; deleting the wrapped key destroys the record's personal data in the database and in every backup
of the ciphertexts (crypto-shredding, 密钥销毁).
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.security.envelope import Unreadable, bind, close, encode, open_, parse
from shared.security.fields import DataKey
from shared.security.keysource import LOOKUP, FileKeySource, KeySource, RootKey
from shared.security.signing import Ed25519Signer
from shared.security.suites import SUITES, Suite, random_bytes

__all__ = ["FileKeySource", "KeySource", "Keyring", "wrapped_kid"]

_WRAPPED: Final = "data-key"
_KEY_ID_BYTES: Final = 8
_TOKEN_BYTES: Final = 16


class Keyring:
    """Makes, opens and rewraps data keys, and computes keyed hashes; pure but for the key source.

    ``suite`` (``intl`` or ``sm``) is used for whatever is new; wrapped keys and fields of either suite are read.
    Look-up hashes and tokens depend on the suite: changing it means computing the stored ones again.
    """

    def __init__(self, keys: KeySource, suite: str = "intl") -> None:
        self._keys = keys
        self._suite: Suite = SUITES[suite]
        self._derived: dict[tuple[str, str, str], bytes] = {}

    def new_data_key(self, table: str, row: str) -> tuple[str, DataKey]:
        """A fresh data key for a record: the wrapped text to store beside it, and the key open for use."""
        key = DataKey(encode(random_bytes(_KEY_ID_BYTES)), table, row, self._suite, random_bytes(self._suite.key_size))
        return self._wrap(key), key

    def open_data_key(self, wrapped: str, table: str, row: str) -> DataKey:
        """The data key of a record. Raises :class:`Unreadable` (the text is another record's, was altered, or its
        key-encryption key is gone)."""
        envelope = parse(wrapped, keys=2)
        kek, key_id = envelope.keys
        try:
            root = self._keys.get(kek)
        except KeyError:
            raise Unreadable("unknown_key") from None
        material = open_(envelope, self._derive(root, envelope.suite, _WRAPPED), (_WRAPPED, table, row))
        return DataKey(key_id, table, row, envelope.suite, material)

    def rewrap(self, wrapped: str, table: str, row: str) -> str:
        """The same data key wrapped under the active key; unchanged if it already is. Raises :class:`Unreadable`."""
        if wrapped_kid(wrapped) == self._keys.active().kid:
            return wrapped
        return self._wrap(self.open_data_key(wrapped, table, row))

    def keyed_hash(self, purpose: str, value: str) -> str:
        """A hash for equality look-ups of a personal value, 43 characters of base64url.

        Not reversible and not guessable without the key; equal values give unrelated hashes for another ``purpose``.
        Normalise the value first (trim, digits only): the hash compares bytes.
        """
        return encode(self._lookup("hash", purpose, value))

    def link_token(self, purpose: str, identifier: str) -> str:
        """The token of a link to an object: 128 bits, 22 characters of base64url, the same at every call.

        Being derived, it can be printed again without being stored; keep only its :meth:`token_hash`.
        """
        return encode(self._lookup("link", purpose, identifier)[:_TOKEN_BYTES])

    def token_hash(self, token: str) -> str:
        """The unkeyed hash under which a random or derived 128-bit token is stored, 43 characters."""
        return encode(self._suite.digest(token.encode()))

    def audit_signer(self) -> Ed25519Signer:
        """The signer of the audit log's checkpoints, with a key derived for that alone."""
        seed = self._suite.derive(self._keys.get(LOOKUP).material, "audit", 32)
        return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed))

    def rotate(self) -> str:
        """Make a new active key, if the source can; its id. Data keys are wrapped anew by ``RecordKeys.rewrap``."""
        if not isinstance(self._keys, FileKeySource):
            raise TypeError("this key source is rotated where it is kept")
        return self._keys.rotate()

    def active_kid(self) -> str:
        """The id of the key-encryption key that wraps new data keys."""
        return self._keys.active().kid

    def has(self, kid: str) -> bool:
        """Whether data keys wrapped by this key-encryption key can be opened."""
        try:
            self._keys.get(kid)
        except KeyError:
            return False
        return True

    def _wrap(self, key: DataKey) -> str:
        # The data key keeps the suite of its fields; its wrapping follows that suite too, so the text names one.
        root = self._keys.active()
        kek = self._derive(root, key.suite, _WRAPPED)
        return close(key.suite, kek, key.material, (root.kid, key.id), (_WRAPPED, key.table, key.row))

    def _lookup(self, use: str, purpose: str, value: str) -> bytes:
        root = self._keys.get(LOOKUP)
        return self._suite.mac(self._derive(root, self._suite, use, 32), bind(purpose, value))

    def _derive(self, root: RootKey, suite: Suite, purpose: str, size: int | None = None) -> bytes:
        place = (root.kid, suite.id, purpose)
        found = self._derived.get(place)
        if found is None:
            found = self._derived[place] = suite.derive(root.material, purpose, size)
        return found


def wrapped_kid(wrapped: str) -> str:
    """The id of the key-encryption key that wraps a data key; a rotation selects by it. Raises :class:`Unreadable`."""
    return parse(wrapped, keys=2).keys[0]
