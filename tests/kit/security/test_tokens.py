"""Bearer tokens: what is believed, and every way of lying that must not be."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import FixedClock
from shared.security.claims import InvalidToken
from shared.security.jwk import okp_jwk
from shared.security.jwks import StaticJwks
from shared.security.tokens import TokenVerifier

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
JWK = okp_jwk(KEY.public_key())
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_JWK = {**jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec"}
RSA_JWK = {**jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa"}
KEYS = {"keys": [JWK, EC_JWK, RSA_JWK]}
ABSENT = object()


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "sub": "u1",
        "iss": "iss",
        "aud": "wangdian",
        "roles": ["teller"],
        "units": ["b1"],
        "iat": NOW.timestamp(),
        "exp": (NOW + timedelta(minutes=5)).timestamp(),
    }
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


def token(key: Any = KEY, algorithm: str = "EdDSA", kid: Any = JWK["kid"], **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid} if kid else {})


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Counting(StaticJwks):
    asked = 0

    async def key(self, kid: str) -> Any:
        self.asked += 1
        return await super().key(kid)


def make(clock: FixedClock | None = None, document: Any = KEYS, **options: Any) -> TokenVerifier:
    return TokenVerifier(StaticJwks(document), "iss", "wangdian", clock or FixedClock(NOW), **options)


async def refused(text: str, verifier: TokenVerifier | None = None) -> str:
    with pytest.raises(InvalidToken) as caught:
        await (verifier or make()).verify(text)
    for piece in text.split("."):
        assert len(piece) < 4 or piece not in str(caught.value), "a refusal must not carry the token"
    return caught.value.reason


async def test_a_valid_token_gives_its_principal() -> None:
    found = await make().verify(token(staff_id="s1", client_id="web", roles=["teller", "pilot"], aud=["x", "wangdian"]))
    assert (found.sub, found.staff_id, found.roles, found.units) == ("u1", "s1", frozenset({"teller"}), ("b1",))
    assert (found.client, found.expires_at) == ("web", NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(KEY, "EdDSA", JWK["kid"]), (EC_KEY, "ES256", "ec"), (RSA_KEY, "RS256", "rsa"), (RSA_KEY, "PS256", "rsa")],
)
async def test_each_allowed_algorithm_verifies(key: Any, algorithm: str, kid: str) -> None:
    assert (await make().verify(token(key, algorithm, kid))).sub == "u1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": ["other", "wangdian2"]}, "wrong_audience"),
        ({"aud": {"wangdian": 1}}, "malformed_aud"),
        ({"iss": "evil"}, "wrong_issuer"),
        ({"iss": ["iss"]}, "wrong_issuer"),
        ({"exp": (NOW - timedelta(seconds=30)).timestamp()}, "expired"),
        ({"exp": "9999999999"}, "malformed_exp"),
        ({"exp": float("inf")}, "malformed_exp"),
        ({"exp": float("nan")}, "malformed_exp"),
        ({"exp": 10**40}, "malformed_exp"),
        ({"exp": True}, "malformed_exp"),
        ({"iat": (NOW + timedelta(seconds=31)).timestamp()}, "issued_in_future"),
        ({"nbf": (NOW + timedelta(seconds=31)).timestamp()}, "not_yet_valid"),
        ({"roles": ["emperor"]}, "no_known_role"),
        ({"roles": []}, "no_known_role"),
        ({"roles": "teller"}, "malformed_roles"),
        ({"units": "b1"}, "malformed_units"),
        ({"sub": ""}, "malformed_sub"),
        ({"sub": "a\x00b"}, "malformed_sub"),
        ({"staff_id": 7}, "malformed_staff_id"),
        *[({name: ABSENT}, f"missing_{name}") for name in ("sub", "exp", "iat", "iss", "aud", "roles")],
        *[({name: None}, f"missing_{name}") for name in ("sub", "exp", "aud", "roles")],
    ],
)
async def test_claims_that_do_not_hold_are_refused(changes: dict[str, Any], reason: str) -> None:
    # Signed by hand: the library refuses to encode some of these.
    head = part({"alg": "EdDSA", "kid": JWK["kid"]})
    body = part(claims(**changes))
    assert await refused(f"{head}.{body}.{part(KEY.sign(f'{head}.{body}'.encode()))}") == reason


async def test_thirty_seconds_of_leeway_and_no_more() -> None:
    soon = (NOW + timedelta(seconds=30)).timestamp()
    assert await make().verify(token(iat=soon, nbf=soon, exp=(NOW - timedelta(seconds=29)).timestamp()))


async def test_alg_none_is_refused() -> None:
    for name in ("none", "None", "NONE", "nOnE", ""):
        text = f"{part({'alg': name, 'kid': JWK['kid']})}.{part(claims())}."
        assert await refused(text) in {"wrong_algorithm", "malformed"}
    assert await refused(jwt.encode(claims(), None, algorithm="none", headers={"kid": JWK["kid"]})) == "wrong_algorithm"


@pytest.mark.parametrize("encoding", ["raw", "pem", "jwk"])
async def test_hs256_with_the_public_key_as_secret_is_refused(encoding: str) -> None:
    public = KEY.public_key()
    secret = {
        "raw": public.public_bytes_raw(),
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(JWK).encode(),
    }[encoding]
    signing = f"{part({'alg': 'HS256', 'kid': JWK['kid']})}.{part(claims())}"
    mac = hmac.new(secret, signing.encode(), hashlib.sha256).digest()
    assert await refused(f"{signing}.{part(mac)}") == "wrong_algorithm"


async def test_the_algorithm_must_fit_the_type_of_the_key() -> None:
    assert await refused(token(EC_KEY, "ES256", "rsa")) == "wrong_algorithm"
    assert await refused(token(RSA_KEY, "RS256", JWK["kid"])) == "wrong_algorithm"
    only = {"keys": [{**RSA_JWK, "alg": "PS256"}]}
    assert await refused(token(RSA_KEY, "RS256", "rsa"), make(document=only)) == "wrong_algorithm"


async def test_another_key_is_refused() -> None:
    assert await refused(token(OTHER)) == "bad_signature"
    assert await refused(token(OTHER, kid=okp_jwk(OTHER.public_key())["kid"])) == "unknown_key"
    assert await refused(token(kid=None)) == "missing_kid"


async def test_a_key_that_the_token_brings_along_is_ignored() -> None:
    own = okp_jwk(OTHER.public_key())
    text = jwt.encode(claims(), OTHER, algorithm="EdDSA", headers={"kid": JWK["kid"], "jwk": own, "jku": "http://x"})
    assert await refused(text) == "bad_signature"


async def test_a_changed_claim_breaks_the_signature() -> None:
    head, _, signature = token().split(".")
    assert await refused(f"{head}.{part(claims(roles=['head_office']))}.{signature}") == "bad_signature"


async def test_a_token_of_another_kind_is_refused() -> None:
    text = jwt.encode(claims(), KEY, algorithm="EdDSA", headers={"kid": JWK["kid"], "typ": "logout+jwt"})
    assert await refused(text) == "wrong_type"


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,9}")))
async def test_garbage_is_an_invalid_token_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidToken):
        await make().verify(text)


async def test_nesting_and_size_are_refused() -> None:
    assert await refused("a" * 9000) == "malformed"
    deep = b"[" * 2000 + b"]" * 2000
    assert await refused(f"{part(deep)}.{part(claims())}.{part(b'x' * 64)}") == "malformed"


async def test_the_cache_checks_the_expiry_at_each_hit() -> None:
    clock = FixedClock(NOW)
    verifier, text = make(clock), token()
    first = await verifier.verify(text)
    assert await verifier.verify(text) is first
    clock.advance(timedelta(minutes=5, seconds=29))
    assert await verifier.verify(text) is first
    clock.advance(timedelta(seconds=1))
    assert await refused(text, verifier) == "expired"
    assert await refused(text, verifier) == "expired"


async def test_the_cache_is_bounded_and_forgets_the_longest_unused() -> None:
    verifier = make(cached=2)
    texts = [token(sub=f"u{i}") for i in range(3)]
    a = await verifier.verify(texts[0])
    b = await verifier.verify(texts[1])
    assert await verifier.verify(texts[0]) is a
    await verifier.verify(texts[2])
    assert await verifier.verify(texts[0]) is a
    assert await verifier.verify(texts[1]) is not b


async def test_a_withdrawn_key_ends_its_cached_tokens() -> None:
    provider = StaticJwks(KEYS)
    verifier, text = TokenVerifier(provider, "iss", "wangdian", FixedClock(NOW)), token()
    await verifier.verify(text)
    provider._keys = {}
    assert await refused(text, verifier) == "unknown_key"
