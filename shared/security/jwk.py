"""Public keys in the form issuers publish them (JSON Web Key, RFC 7517), each tied to the algorithms it may verify."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

ALGORITHMS: Final = frozenset({"EdDSA", "ES256", "PS256", "RS256"})
_SMALLEST_RSA: Final = 2048

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key with its id and the algorithms that fit its type; a token may use no other."""

    kid: str
    key: PublicKey
    algorithms: frozenset[str]


def read_key(jwk: Mapping[str, Any]) -> VerificationKey | None:
    """The key of one JWK, or None if it cannot verify tokens here.

    Skipped are keys without ``kid``, for another use, of another type or curve, RSA keys under 2048 bits and symmetric
    keys: a key set may hold more than we need, and one odd entry must not lock everybody out.
    """
    kid, declared = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str) or not kid or jwk.get("use", "sig") != "sig" or "verify" not in _operations(jwk):
        return None
    try:
        found = _public_key(jwk)
    except (PyJWTError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if found is None:
        return None
    key, algorithms = found
    if declared is not None:
        algorithms &= {declared} if isinstance(declared, str) else set()
    return VerificationKey(kid, key, algorithms) if algorithms else None


def read_set(document: Any) -> dict[str, VerificationKey]:
    """The usable keys of a JWK set by their id. Raises ValueError if the document is no key set."""
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JSON Web Key Set")
    keys = (read_key(entry) for entry in document["keys"] if isinstance(entry, Mapping))
    return {key.kid: key for key in keys if key is not None}


def okp_jwk(public: Ed25519PublicKey) -> dict[str, str]:
    """The JWK of an Ed25519 key; its ``kid`` is the thumbprint of RFC 7638, so equal keys have equal ids."""
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    members = {"kty": "OKP", "crv": "Ed25519", "x": x}
    digest = hashlib.sha256(rfc8785.dumps(members)).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**members, "kid": kid, "use": "sig", "alg": "EdDSA"}


def _operations(jwk: Mapping[str, Any]) -> list[Any]:
    operations = jwk.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else []


def _public_key(jwk: Mapping[str, Any]) -> tuple[PublicKey, frozenset[str]] | None:
    # Only the public members are passed on: a set that leaks a private key must not put one into our hands.
    match (jwk.get("kty"), jwk.get("crv")):
        case ("OKP", "Ed25519"):
            key: Any = OKPAlgorithm.from_jwk({name: jwk[name] for name in ("kty", "crv", "x")})
            return key, frozenset({"EdDSA"})
        case ("EC", "P-256"):
            key = ECAlgorithm.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})
            return key, frozenset({"ES256"})
        case ("RSA", _):
            key = RSAAlgorithm.from_jwk({name: jwk[name] for name in ("kty", "n", "e")})
            return (key, frozenset({"PS256", "RS256"})) if key.key_size >= _SMALLEST_RSA else None
    return None
