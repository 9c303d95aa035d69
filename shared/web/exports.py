"""Tables as files: CSV that Excel reads as it is, and workbooks. Each says up to when its data reach and how many rows.

Text that a spreadsheet would take for a formula is kept text (CSV injection). Making a workbook takes the processor:
:func:`workbook` belongs in a thread, never on the loop.
"""

import csv
import hashlib
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

import xlsxwriter
from starlette.responses import Response

Cell = str | int | float | bool | date | None

BOM: Final = "\ufeff"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
_STARTERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its name, its heads and its rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def guarded(value: Cell) -> Cell:
    """Text that begins like a formula gets an apostrophe in front; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTERS) else value


def csv_bytes(sheet: Sheet) -> bytes:
    """UTF-8 with a byte order mark, CRLF, quotes where needed; an unknown value is an empty field."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(head) for head in sheet.heads])
    for row in sheet.rows:
        writer.writerow(["" if cell is None else _plain(guarded(cell)) for cell in row])
    return (BOM + out.getvalue()).encode()


def _plain(value: Cell) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else value


def workbook(sheets: Sequence[Sheet], about: Mapping[str, Cell]) -> bytes:
    """A workbook; ``about`` (name to value) is its last sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name[:31])
        page.freeze_panes(1, 1)
        page.set_column(0, max(0, len(sheet.heads) - 1), 14)
        page.write_row(0, 0, sheet.heads, head)
        for y, row in enumerate(sheet.rows, 1):
            for x, value in enumerate(row):
                _write(page, y, x, value, day)
        if sheet.rows:
            page.autofilter(0, 0, len(sheet.rows), len(sheet.heads) - 1)
    page = book.add_worksheet("About")
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 90)
    for y, (name, value) in enumerate(about.items()):
        page.write_string(y, 0, name, head)
        _write(page, y, 1, value, wrapped if isinstance(value, str) else day)
    book.close()
    return out.getvalue()


def _write(page: Any, y: int, x: int, value: Cell, form: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(y, x, value)
    elif isinstance(value, str):
        page.write_string(y, x, value, form)
    elif isinstance(value, date):
        page.write_datetime(y, x, value, form)
    else:
        page.write_number(y, x, value)


def download(body: bytes, kind: str, name: str, *, cut: datetime, rows: int) -> Response:
    """The reply that is saved as ``name``; the data cut, the count of rows and the SHA-256 are in its headers."""
    headers = {
        "content-type": kind,
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "x-data-cut": cut.isoformat(),
        "x-row-count": str(rows),
        "repr-digest": f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(body, headers=headers)
