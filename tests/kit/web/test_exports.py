"""Files: what a spreadsheet program reads in them, and what it must never run."""

import base64
import csv
import hashlib
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest

from shared.web import exports
from shared.web.exports import Sheet

CUT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SHEET = Sheet(
    "series",
    ["name", "n", "share", "day", "late"],
    [["广州", 3, 0.5, date(2026, 3, 2), False], ["x", -1, None, None, True]],
)


def test_a_csv_has_a_mark_and_empty_fields_for_the_unknown():
    body = exports.csv_bytes(SHEET)
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows == [SHEET.heads, ["广州", "3", "0.5", "2026-03-02", "false"], ["x", "-1", "", "", "true"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1"])
def test_text_that_begins_like_a_formula_stays_text(text):
    sheet = Sheet("s", ["a"], [[text], [-1]])
    rows = list(csv.reader(io.StringIO(exports.csv_bytes(sheet).decode("utf-8-sig"), newline="")))
    assert rows[1] == [f"'{text}"]
    assert rows[2] == ["-1"]
    cell = openpyxl.load_workbook(io.BytesIO(exports.workbook([sheet], {})))["s"]["A2"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x000D_", "\r") == text


def test_a_workbook_holds_its_sheets_and_says_what_it_is():
    book = openpyxl.load_workbook(io.BytesIO(exports.workbook([SHEET], {"data_as_of": CUT.isoformat(), "rows": 2})))
    assert book.sheetnames == ["series", "About"]
    assert [cell.value for cell in book["series"][2]] == ["广州", 3, 0.5, datetime(2026, 3, 2), False]
    assert [[cell.value for cell in row] for row in book["About"]] == [["data_as_of", CUT.isoformat()], ["rows", 2]]


def test_a_download_says_its_cut_its_rows_and_its_digest():
    reply = exports.download(b"abc", exports.CSV, "等候.csv", cut=CUT, rows=7)
    assert reply.headers["x-data-cut"] == "2026-03-02T01:00:00+00:00"
    assert reply.headers["x-row-count"] == "7"
    assert reply.headers["repr-digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(b'abc').digest()).decode()}:"
    assert "filename*=UTF-8''%E7%AD%89%E5%80%99.csv" in reply.headers["content-disposition"]
