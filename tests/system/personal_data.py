"""Looks for personal data byte by byte, also where an encoding hides it from the eye."""

import base64
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

LONG_ENOUGH = 8
"""Bytes below which two-byte text is not looked for: chance would find it in ciphertext."""


_BETWEEN_DIGITS = re.compile(rb"(?<=[0-9])[\s().-]{1,2}(?=[0-9])")
"""What a person writes between the digits of a telephone number."""


def forms(text: str) -> Iterator[bytes]:
    """The spellings in which ``text`` may lie in a file: UTF-8 and -16, JSON, URL, hexadecimal, base64 anywhere."""
    plain = text.encode()
    yield plain
    for encoded in (text.encode("utf-16-le"), text.encode("utf-16-be")):
        if len(encoded) >= LONG_ENOUGH:
            yield encoded
    yield json.dumps(text)[1:-1].encode()
    yield quote(text).encode()
    yield plain.hex().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        # The first and last characters mix with the neighbours: what is between them is certain.
        core = coded[(0, 2, 3)[shift] :].rstrip(b"=")
        core = core if (len(plain) + shift) % 3 == 0 else core[:-1]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


def found(content: bytes, texts: Iterable[str], phones: Iterable[str]) -> set[str]:
    """Those of ``texts`` and ``phones`` that lie in ``content``."""
    seen = {text for text in texts if any(form in content for form in forms(text))}
    digits = _BETWEEN_DIGITS.sub(b"", content)
    return seen | {phone for phone in phones if phone.encode() in digits or any(f in content for f in forms(phone))}


def table_bytes(file: Path, table: str) -> bytes:
    """Every value of a table, as text and bytes, one after the other."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as raw:
        cells = (cell for row in raw.execute(f'SELECT * FROM "{table}"') for cell in row)
        return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)


def files(folder: Path) -> dict[str, bytes]:
    """Every byte of every file below ``folder`` but the keys, with journals and copies."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "keys" not in path.parts
    }
