"""Texts of the pages: what the source asks for, and what the translations hold.

``python -m shared.testing.texts`` adds an empty entry for each missing one to the catalogue of its feature.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from shared.testing.source import ROOT, committed
from shared.web.i18n import CATALOGUE

KIT: Final = "shared/web/locale"
KEYWORDS: Final[dict[str, Any]] = {
    "_": None, "N_": None, "gettext": None, "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip


class Asked(NamedTuple):
    """A text that a file asks for."""

    place: str
    id: str | tuple[str, ...]
    context: str | None
    home: str
    """The folder whose catalogue should hold it."""


def asked() -> Iterator[Asked]:
    """Every text of templates and of Python."""
    for path in committed():
        home = _home(path)
        if home is None:
            continue
        method = "jinja2.ext:babel_extract" if path.endswith(".html") else "python"
        options = {"trimmed": "true", "silent": "false"} if path.endswith(".html") else {}
        with (ROOT / path).open("rb") as file:
            for line, ids, _, context in extract(method, file, KEYWORDS, options=options):
                kept = tuple(part for part in ids if part) if isinstance(ids, tuple) else ids
                found = kept if isinstance(kept, str) or len(kept) > 1 else kept[0]
                yield Asked(f"{path}:{line}", found, context, home)


def _home(path: str) -> str | None:
    parts = path.split("/")
    if path.startswith("shared/web/") and path.endswith((".html", ".py")):
        return KIT
    if parts[0] != "services" or len(parts) < 4:
        return None
    if path.endswith(".html") or (path.endswith(".py") and parts[3] in ("pages.py", "views.py")):
        return "/".join([*parts[:3], "web"])
    return None


def catalogues() -> dict[str, Catalog]:
    """Every catalogue by its folder."""
    found = {}
    for path in committed():
        if path.endswith(f"/{CATALOGUE}"):
            with (ROOT / path).open("rb") as file:
                found[path.rpartition("/")[0]] = read_po(file, locale="zh_Hans_CN")
    return found


def missing() -> list[Asked]:
    """What is asked for and not translated, neither by its feature nor by the kit."""
    known = catalogues()
    empty = Catalog(locale="zh_Hans_CN")
    return [text for text in asked() if not any(_translated(known.get(home, empty), text) for home in (text.home, KIT))]


def _translated(catalogue: Catalog, text: Asked) -> bool:
    first = text.id if isinstance(text.id, str) else text.id[0]
    message = catalogue.get(first, text.context)
    return (
        message is not None
        and bool(message.string)
        and all(message.string if isinstance(message.string, tuple) else [1])
    )


def main() -> None:
    """Add empty entries for what is missing."""
    known = catalogues()
    for text in missing():
        catalogue = known.setdefault(text.home, Catalog(locale="zh_Hans_CN"))
        catalogue.add(text.id, None, context=text.context)
        sys.stdout.write(f"{text.place}: {text.id}\n")
    for home, catalogue in known.items():
        with (Path(ROOT) / home / CATALOGUE).open("wb") as file:
            write_po(file, catalogue, width=0, omit_header=True, no_location=True, sort_output=True)


if __name__ == "__main__":
    main()
