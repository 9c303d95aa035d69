"""Key sets: what is read from them, and how often their source is asked."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import FixedClock
from shared.security.jwk import okp_jwk, read_key, read_set
from shared.security.jwks import FileJwks, KeysUnavailable, RemoteJwks

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIRST, SECOND = (okp_jwk(Ed25519PrivateKey.generate().public_key()) for _ in range(2))


class Issuer:
    """Answers the key set it is told to, or fails."""

    def __init__(self) -> None:
        self.document: Any = {"keys": [FIRST]}
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.document is None:
            raise httpx.ConnectError("down", request=request)
        return httpx.Response(200, json=self.document)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def remote(issuer: Issuer, clock: FixedClock) -> RemoteJwks:
    return RemoteJwks("https://issuer.example/jwks", clock, httpx.MockTransport(issuer))


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    # RFC 8037 appendix A.3
    assert okp_jwk(_public("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))["kid"] == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


def _public(x: str) -> Any:
    return jwt.algorithms.OKPAlgorithm.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})


def test_unusable_keys_are_skipped() -> None:
    small = jwt.algorithms.RSAAlgorithm.to_jwk(
        rsa.generate_private_key(65537, 1024).public_key(),  # noqa: S505 - the weak key is the test
        as_dict=True,
    )
    p384 = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    odd: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "mac"},
        {**FIRST, "kid": ""},
        {**FIRST, "use": "enc"},
        {**FIRST, "key_ops": ["encrypt"]},
        {**FIRST, "alg": "HS256"},
        {**FIRST, "x": "AA"},
        {**FIRST, "x": 7},
        {"kty": "OKP", "crv": "Ed25519", "kid": "no-x"},
        {**small, "kid": "small"},
        {**p384, "kid": "p384"},
    ]
    assert [read_key(entry) for entry in odd] == [None] * len(odd)
    assert set(read_set({"keys": [*odd, "text", SECOND]})) == {SECOND["kid"]}


def test_a_private_member_is_not_taken_over() -> None:
    leaked = {**FIRST, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
    key = read_key(leaked)
    assert key is not None
    assert not hasattr(key.key, "sign")


async def test_the_source_is_asked_once_and_again_when_old(
    remote: RemoteJwks, issuer: Issuer, clock: FixedClock
) -> None:
    first = await remote.key(FIRST["kid"])
    assert first is not None
    assert await remote.key(FIRST["kid"]) is first
    assert issuer.asked == 1
    clock.advance(timedelta(minutes=11))
    assert await remote.key(FIRST["kid"]) is first, "an unchanged key stays the same object"
    assert issuer.asked == 2


async def test_an_unknown_key_refreshes_but_not_at_will(remote: RemoteJwks, issuer: Issuer, clock: FixedClock) -> None:
    await remote.key(FIRST["kid"])
    issuer.document = {"keys": [SECOND]}
    clock.advance(timedelta(seconds=9))
    for i in range(50):
        assert await remote.key(f"forged-{i}") is None
    assert issuer.asked == 1
    clock.advance(timedelta(seconds=1))
    assert await remote.key(SECOND["kid"]) is not None
    assert await remote.key(FIRST["kid"]) is None, "withdrawn"
    assert issuer.asked == 2


async def test_the_last_copy_serves_a_day_while_the_source_fails(
    remote: RemoteJwks, issuer: Issuer, clock: FixedClock
) -> None:
    await remote.key(FIRST["kid"])
    issuer.document = None
    clock.advance(timedelta(hours=23))
    assert await remote.key(FIRST["kid"]) is not None
    clock.advance(timedelta(hours=2))
    with pytest.raises(KeysUnavailable):
        await remote.key(FIRST["kid"])
    issuer.document = {"keys": [FIRST]}
    clock.advance(timedelta(seconds=10))
    assert await remote.key(FIRST["kid"]) is not None


async def test_a_slow_source_stops_nobody_whose_key_is_known(clock: FixedClock) -> None:
    gate, second, asked = asyncio.Event(), asyncio.Event(), 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked > 1:
            second.set()
            await gate.wait()
        return httpx.Response(200, json={"keys": [FIRST]})

    remote = RemoteJwks("https://issuer.example/jwks", clock, httpx.MockTransport(answer))
    first = await asyncio.gather(*(remote.key(FIRST["kid"]) for _ in range(5)))
    assert (len(set(map(id, first))), asked) == (1, 1), "those who come first wait for the one read"
    clock.advance(timedelta(minutes=11))
    reading = asyncio.create_task(remote.key(FIRST["kid"]))
    await second.wait()
    assert await asyncio.wait_for(remote.key(FIRST["kid"]), 1) is first[0]
    gate.set()
    assert await reading is first[0]


@pytest.mark.parametrize("document", [None, [], {"keys": "none"}, "text"])
async def test_without_a_key_set_nobody_is_judged(remote: RemoteJwks, issuer: Issuer, document: Any) -> None:
    issuer.document = document
    with pytest.raises(KeysUnavailable):
        await remote.key(FIRST["kid"])


async def test_a_file_is_read_again_after_its_rotation(tmp_path: Path, clock: FixedClock) -> None:
    path = tmp_path / "jwks.json"
    provider = FileJwks(path, clock)
    with pytest.raises(KeysUnavailable):
        await provider.key(FIRST["kid"])
    path.write_text(json.dumps({"keys": [FIRST]}))
    clock.advance(timedelta(seconds=10))
    assert await provider.key(FIRST["kid"]) is not None
    path.write_text(json.dumps({"keys": [FIRST, SECOND]}))
    clock.advance(timedelta(seconds=10))
    assert await provider.key(SECOND["kid"]) is not None
