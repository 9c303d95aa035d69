"""Versions and pages."""

import asyncio
import base64
import json

import pytest

A = "/tally/v1/totals/a"


async def made(running, *names):
    for name in names:
        await running.call("POST", f"/tally/v1/totals/{name}/additions", "teller", json={"amount": 1}, expect=201)


async def change(running, if_match, path=A):
    headers = running.headers("teller") | ({"if-match": if_match} if if_match is not None else {})
    return await running.client.put(path, headers=headers, json={"amount": 1})


@pytest.mark.parametrize("if_match", [None, "*", '"2"', '"1", "2"', ' "2" '])
async def test_a_change_on_the_current_version_is_made(tally, kept, if_match):
    await made(tally, "a", "a")
    answer = await change(tally, if_match)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert await kept(tally) == {"a": 3}


@pytest.mark.parametrize("if_match", ['"1"', '"3"', "2", 'W/"2"', '""', "x", '"2'])
async def test_a_change_on_another_version_is_refused_with_the_current_one(tally, kept, if_match):
    await made(tally, "a", "a")
    answer = await change(tally, if_match)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    assert (answer.headers["etag"], answer.json()["version"]) == ('"2"', 2)
    assert await kept(tally) == {"a": 2}


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"], indirect=True)
async def test_of_two_changes_on_one_version_one_is_made(tally, kept):
    await made(tally, "a")
    answers = await asyncio.gather(*(change(tally, '"1"') for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    assert await kept(tally) == {"a": 2}


async def test_a_read_has_its_etag_and_nothing_is_204(tally):
    await made(tally, "a")
    answer = await tally.call("GET", A, "teller", expect=200)
    assert (answer.headers["etag"], answer.json()["amount"]) == ('"1"', 1)
    assert answer.headers["cache-control"] == "no-store"
    assert (await tally.call("GET", "/tally/v1/totals/none", "teller")).status_code == 204


async def test_pages_hold_every_row_once_in_order(tally):
    names = [f"n{n:02}" for n in range(7)]
    await made(tally, *names)
    for limit, pages in ((3, 3), (7, 1), (8, 1), (1, 7)):
        seen, cursor, count = [], None, 0
        while count == 0 or cursor:
            parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            answer = await tally.call("GET", "/tally/v1/totals", "teller", params=parameters, expect=200)
            seen += [item["name"] for item in answer.json()["items"]]
            cursor, count = answer.json()["next"], count + 1
        assert (seen, count) == (names, pages)


async def test_an_empty_list_is_a_page(tally):
    answer = await tally.call("GET", "/tally/v1/totals", "teller", expect=200)
    assert answer.json() == {"items": [], "next": None}


def coded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "中", "====", "a" * 401, coded(1), coded(None), coded(["a"]), coded("x" * 201), coded("a\x00"),
        coded("\ud800"), base64.urlsafe_b64encode(b"\xff\xfe").decode(), base64.urlsafe_b64encode(b"[" * 250).decode(),
        base64.urlsafe_b64encode(b"9" * 290).decode(), "\x00", "a b",
    ],
)  # fmt: skip
async def test_a_cursor_that_is_not_ours_is_refused(tally, cursor):
    answer = await tally.call("GET", "/tally/v1/totals", "teller", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"
