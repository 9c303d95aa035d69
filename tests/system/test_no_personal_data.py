"""No name, no contact and no free text leaves its owner's database, nor lies there in clear."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing, suppress

import httpx
import pytest
import yaml
from wangdian_client import WangdianError

from services.example_bank import FOLDER
from tests.chaos.evidence import SERVICES, rows
from tests.chaos.flow import bank_of, settle
from tests.system.conftest import customers
from tests.system.personal_data import files, forms, found, table_bytes

UNIT = "gz-001"
NAMES = [person["name"] for person in yaml.safe_load((FOLDER / "people.yaml").read_text(encoding="utf-8"))]
LATE_NAME = "诸葛明月"
REASON = "柜员证书昨日到期，客户排队太长，先放行"
PHONES = ["13912345678", "13787654321"]
PLANTED = "这句话不应该出现"


@pytest.fixture(scope="module")
def used(bank):
    """The system after acts that carry names, telephone numbers and free text, accepted and refused."""
    with bank_of(bank, "branch_manager", UNIT, "M0001") as manager:
        body = {"staff": "T0006", "qualification": "wealth", "reason": REASON}
        manager.request("POST", f"/queue/v1/branches/{UNIT}/overrides", json=body)
    with bank_of(bank, "head_office") as office:
        office.request(
            "POST", "/staff/v1/people", json={"id": "T0999", "name": LATE_NAME, "unit": UNIT, "post": "teller"}
        )
        revealed = office.request("POST", "/staff/v1/people/T0999/reveal", json={"purpose": "hr"})
        assert revealed["name"] == LATE_NAME
        for wrong in (
            {"id": LATE_NAME, "name": LATE_NAME, "unit": UNIT, "post": LATE_NAME},
            {"id": "T0998", "name": f"{LATE_NAME}\n", "unit": LATE_NAME, "post": "teller", LATE_NAME: 1},
        ):
            with suppress(WangdianError):
                office.request("POST", "/staff/v1/people", json=wrong)
    with bank_of(bank, "app", UNIT) as app:
        contact = {"phone": PHONES[0]}
        app.queue.tickets.issue(UNIT, "cash", channel="app", contact=contact)
        for wrong in ({"phone": [PHONES[1]]}, {"phone": f"{PHONES[1]}{PHONES[1]}"}, {PHONES[1]: LATE_NAME}):
            with suppress(WangdianError):
                app.request(
                    "POST", f"/queue/v1/branches/{UNIT}/tickets",
                    json={"service": "cash", "channel": "app", "contact": wrong},
                )  # fmt: skip
        for path in (f"/queue/v1/visits/{PHONES[1]}", f"/queue/v1/t/{PHONES[1]}", f"/nowhere/{LATE_NAME}"):
            with suppress(WangdianError):
                app.request("GET", path, params={"q": REASON})
    asyncio.run(customers(bank, seed=3, visits=30))
    settle(bank)
    return bank


DEMO = re.compile(rb"(?<![0-9A-Za-z])139[ .-]?0000[ .-]?[0-9]{4}(?![0-9A-Za-z])")
"""Every number that a customer of the demo may leave."""
TEXTS = [*NAMES, LATE_NAME, REASON]


def test_nothing_personal_was_told(used) -> None:
    told = {name: table_bytes(used.folder / f"{name}.sqlite3", "outbox") for name in SERVICES}
    told["bus"] = table_bytes(used.folder / "bus.sqlite3", "log")
    assert b"T0001" in told["bus"], "a reference may be told: the scan reads what it should"
    assert {name: found(content, TEXTS, PHONES) for name, content in told.items()} == {name: set() for name in told}
    assert [name for name, content in told.items() if DEMO.search(content)] == []


def test_nothing_personal_is_logged_or_measured(used) -> None:
    said, shown = used.output.read_bytes(), httpx.get(f"{used.base_url}/metrics").content
    assert b"example_bank_loaded" in said
    assert b"/queue/v1/branches/{unit}/tickets" in shown
    assert found(said, TEXTS, PHONES) == set()
    assert found(shown, TEXTS, PHONES) == set()
    assert DEMO.search(said) is None
    assert DEMO.search(shown) is None


def test_nothing_personal_lies_in_clear_in_any_file(used) -> None:
    sealed = rows(used.folder, "queue", "SELECT contact FROM visit WHERE contact IS NOT NULL")
    assert len(sealed) > 5, "customers of the demo left their numbers"
    content = files(used.folder)
    assert {"staff.sqlite3", "queue.sqlite3", "bus.sqlite3"} <= set(content)
    assert {name: found(held, TEXTS, PHONES) for name, held in content.items()} == {name: set() for name in content}
    assert [name for name, held in content.items() if DEMO.search(held)] == []


@pytest.mark.parametrize("text", [*NAMES[:4], REASON, PLANTED])
def test_the_scanner_finds_what_is_planted_in_any_spelling(text) -> None:
    assert DEMO.search(b'{"phone": "139-0000 1234"}')
    for form in forms(text):
        assert found(b"\x00\xff" + form + b"\x01", [text, LATE_NAME], []) == {text}


def test_the_scanner_finds_what_is_planted_in_a_file(tmp_path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as raw:
        raw.execute("CREATE TABLE outbox (headers TEXT, payload BLOB)")
        payload = json.dumps({"who": PLANTED, "call": "+86 (137) 8765-4321"}).encode()
        raw.execute("INSERT INTO outbox VALUES (?, ?)", (json.dumps({"n": NAMES[0]}, ensure_ascii=False), payload))
        raw.commit()
    assert found(table_bytes(tmp_path / "x.sqlite3", "outbox"), [*TEXTS, PLANTED], PHONES) == {
        PLANTED, NAMES[0], PHONES[1],
    }  # fmt: skip
    assert found(files(tmp_path)["x.sqlite3"], [*TEXTS, PLANTED], PHONES) == {PLANTED, NAMES[0], PHONES[1]}
