"""Personal data at rest: bound to its place, rotated without touching it, gone with its key."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.envelope import Unreadable, bind, decode
from shared.security.fields import DataKey
from shared.security.keyring import FileKeySource, Keyring, wrapped_kid
from shared.security.keysource import LOOKUP, RootKey
from shared.security.suites import SUITES


class MemoryKeys:
    """A key source for tests."""

    def __init__(self) -> None:
        self.current = "k1"
        self.known = {kid: RootKey(kid, bytes([i]) * 32) for i, kid in enumerate(("k1", "k2", LOOKUP), 1)}

    def active(self) -> RootKey:
        return self.known[self.current]

    def get(self, kid: str) -> RootKey:
        return self.known[kid]


both = pytest.mark.parametrize("suite", ["intl", "sm"])


def reason(key: DataKey, column: str, sealed: str) -> str:
    with pytest.raises(Unreadable) as caught:
        key.reveal(column, sealed)
    return caught.value.reason


@both
@given(value=st.text(max_size=200))
def test_a_value_comes_back_and_never_looks_the_same_twice(suite: str, value: str) -> None:
    _, key = Keyring(MemoryKeys(), suite).new_data_key("person", "p1")
    sealed = key.seal("name", value)
    assert key.reveal("name", sealed) == value
    assert key.seal("name", value) != sealed
    assert sealed.startswith(f"v1.{suite}.{key.id}.")


@both
def test_a_ciphertext_opens_only_in_its_place(suite: str) -> None:
    ring = Keyring(MemoryKeys(), suite)
    wrapped, key = ring.new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    assert reason(key, "phone", sealed) == "altered"
    # The same key, claimed for another row or table, as an attacker with both tables in hand would try.
    for table, row in (("person", "p2"), ("customer", "p1")):
        moved = DataKey(key.id, table, row, key.suite, key.material)
        assert reason(moved, "name", sealed) == "altered"
        with pytest.raises(Unreadable, match="altered"):
            ring.open_data_key(wrapped, table, row)
    _, other = ring.new_data_key("person", "p2")
    assert reason(other, "name", sealed) == "other_key"


@both
def test_every_changed_character_is_noticed(suite: str) -> None:
    _, key = Keyring(MemoryKeys(), suite).new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    for i, old in enumerate(sealed):
        changed = sealed[:i] + ("A" if old != "A" else "B") + sealed[i + 1 :]
        assert reason(key, "name", changed) in {"altered", "other_key", "malformed", "unknown_suite"}


@pytest.mark.parametrize("text", ["", "v1", "张三", "v1.intl.k.", "v1.intl.k.AAAA", "v2.intl.k.AAAA", "v1.intl.k.!!"])
def test_what_is_no_ciphertext_is_malformed(text: str) -> None:
    _, key = Keyring(MemoryKeys()).new_data_key("person", "p1")
    assert reason(key, "name", text) == "malformed"


@both
def test_rotation_rewraps_the_key_and_leaves_the_ciphertext(suite: str) -> None:
    keys = MemoryKeys()
    ring = Keyring(keys, suite)
    wrapped, key = ring.new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    assert ring.rewrap(wrapped, "person", "p1") == wrapped
    keys.current = "k2"
    again = ring.rewrap(wrapped, "person", "p1")
    assert (wrapped_kid(wrapped), wrapped_kid(again)) == ("k1", "k2")
    del keys.known["k1"]
    assert ring.open_data_key(again, "person", "p1").reveal("name", sealed) == "张三"
    with pytest.raises(Unreadable, match="unknown_key"):
        ring.open_data_key(wrapped, "person", "p1")
    with pytest.raises(Unreadable, match="altered"):
        ring.open_data_key(wrapped.replace(".k1.", ".k2."), "person", "p1")


def test_without_its_data_key_a_record_is_gone_for_good() -> None:
    ring = Keyring(MemoryKeys())
    _, key = ring.new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    _, fresh = ring.new_data_key("person", "p1")
    assert reason(fresh, "name", sealed) == "other_key"
    forced = DataKey(key.id, "person", "p1", fresh.suite, fresh.material)
    assert reason(forced, "name", sealed) == "altered"


def test_both_suites_live_side_by_side() -> None:
    keys = MemoryKeys()
    wrapped, key = Keyring(keys, "intl").new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    opened = Keyring(keys, "sm").open_data_key(wrapped, "person", "p1")
    assert opened.reveal("name", sealed) == "张三"
    assert opened.reveal("phone", opened.seal("phone", "1")) == "1"


def test_the_suites_are_what_they_say() -> None:
    # SM3("abc") of GB/T 32905 appendix A.1; SM4-GCM of RFC 8998 appendix A.2.1
    national = SUITES["sm"]
    assert national.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    plain = bytes.fromhex("".join(c * 16 for c in "abcdefea")).hex()
    sealed = national.encrypt(
        bytes.fromhex("0123456789abcdeffedcba9876543210"),
        bytes.fromhex("00001234567800000000abcd"),
        bytes.fromhex(plain),
        bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    )
    assert sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"
    assert SUITES["intl"].digest(b"abc").hex().startswith("ba7816bf8f01cfea")
    assert (national.key_size, SUITES["intl"].key_size) == (16, 32)


@both
def test_lookups_are_stable_over_rotation_and_separate_by_purpose(suite: str) -> None:
    keys = MemoryKeys()
    ring = Keyring(keys, suite)
    before = ring.keyed_hash("phone", "13812341234"), ring.link_token("ticket", "v1")
    keys.current = "k2"
    assert (ring.keyed_hash("phone", "13812341234"), ring.link_token("ticket", "v1")) == before
    assert ring.keyed_hash("id", "13812341234") != before[0]
    assert ring.link_token("survey", "v1") != before[1]
    assert ring.keyed_hash("a", "bc") != ring.keyed_hash("ab", "c")
    assert len(before[0]) == 43
    assert len(before[1]) == 22
    assert len(decode(before[1])) == 16
    assert ring.token_hash(before[1]) == ring.token_hash(before[1]) != ring.token_hash("x")
    assert Keyring(MemoryKeys(), "intl").keyed_hash("p", "v") != Keyring(MemoryKeys(), "sm").keyed_hash("p", "v")


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_binding_is_unambiguous(left: list[str], right: list[str]) -> None:
    assert (bind(*left) == bind(*right)) == (left == right)


def test_keys_are_not_shown() -> None:
    _, key = Keyring(MemoryKeys()).new_data_key("person", "p1")
    assert str(key.material) not in repr(key)
    assert "material" not in repr(RootKey("k", b"secret"))


def test_the_key_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sources = list(pool.map(lambda _: FileKeySource(tmp_path / "keys"), range(32)))
    first, second = sources[:2]
    assert len({source.active().material for source in sources}) == 1
    assert stat.S_IMODE((tmp_path / "keys" / "keyring.json").stat().st_mode) == 0o600
    wrapped, key = Keyring(first).new_data_key("person", "p1")
    sealed = key.seal("name", "张三")
    assert first.rotate() == "k2"
    assert first.active().kid == "k2"
    moved = Keyring(first).rewrap(wrapped, "person", "p1")
    assert Keyring(second).open_data_key(moved, "person", "p1").reveal("name", sealed) == "张三", "re-read by the other"
    for kid in ("k2", LOOKUP):
        with pytest.raises(ValueError, match="in use"):
            first.retire(kid)
    first.retire("k1")
    with pytest.raises(KeyError):
        FileKeySource(tmp_path / "keys").get("k1")


@pytest.mark.parametrize("text", ['{"active":"k1","keys":{}}', '{"active":"k1","keys":{"k1":"AAAA","lookup":"AAAA"}}'])
def test_a_damaged_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keyring.json").write_text(text)
    with pytest.raises(ValueError, match="key file"):
        FileKeySource(tmp_path)
