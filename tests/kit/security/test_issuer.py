"""The development issuer: one key for all who start together, kept to its owner."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import FixedClock
from shared.security.claims import InvalidToken
from shared.security.issuer import DevelopmentIssuer
from shared.security.signing import load_or_create_ed25519
from shared.security.tokens import TokenVerifier

CLOCK = FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def make(folder: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(folder, "iss", "wangdian", CLOCK)


async def test_its_tokens_verify_and_end(tmp_path: Path) -> None:
    issuer = make(tmp_path / "keys")
    text = issuer.issue(["teller", "kiosk"], sub="u1", staff_id="s1", units=["b1"], ttl=timedelta(minutes=1))
    found = await TokenVerifier(issuer, "iss", "wangdian", CLOCK).verify(text)
    assert (found.sub, found.staff_id, found.units, found.client) == ("u1", "s1", ("b1",), "development")
    assert found.has("kiosk")
    assert not found.has("auditor")
    later = FixedClock(CLOCK.now() + timedelta(minutes=2))
    with pytest.raises(InvalidToken, match="expired"):
        await TokenVerifier(issuer, "iss", "wangdian", later).verify(text)


def test_an_unknown_role_is_not_issued(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="emperor"):
        make(tmp_path).issue("emperor", sub="u1")


def test_the_key_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    assert make(tmp_path).jwks() == make(tmp_path).jwks()
    assert "d" not in make(tmp_path).jwks()["keys"][0]
    assert stat.S_IMODE((tmp_path / "issuer.pem").stat().st_mode) == 0o600


def test_of_many_starting_together_one_key_results(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: load_or_create_ed25519(tmp_path / "issuer.pem"), range(64)))
    assert len({key.private_bytes_raw() for key in keys}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["issuer.pem"], "no temporary file is left"


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "issuer.pem").write_text("not a key")
    with pytest.raises(ValueError, match="PEM"):
        make(tmp_path)
