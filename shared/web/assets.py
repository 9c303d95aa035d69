"""Files that pages load: hashed at the start, served for ever under that hash.

``/static/<hash>/shared/js/live.js``: one hash for all files of a process, so that modules import each other by relative
paths. A page of another build asks under another hash: it gets today's file, and is told not to keep it.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from shared.web.problems import NotFound

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".opus": "audio/ogg",
    ".webmanifest": "application/manifest+json",
}
"""Suffix -> content type; nothing else is served."""

FOREVER: Final = "public, max-age=31536000, immutable"
SMALL: Final = 200_000
_PACKED: Final = frozenset({".css", ".js", ".svg", ".webmanifest"})


@dataclass(frozen=True)
class Asset:
    """One file, held in memory; packed when it is first asked for that way."""

    body: bytes
    kind: str
    packs: bool

    @cached_property
    def packed(self) -> bytes:
        """The file for browsers that unpack it."""
        return gzip.compress(self.body, 9 if len(self.body) < SMALL else 6, mtime=0)


class Assets:
    """``folders``: prefix (``shared``, ``queue/windows``) -> the folder whose files are served below it.

    ``files`` are single ones of installed packages, by the whole name they are served under. A file in the folder
    ``over`` is served in place of the one of its name (a bank's own mark, its own speaker); it adds none.
    """

    def __init__(
        self, folders: Mapping[str, Path], files: Mapping[str, Path] | None = None, over: Path | None = None
    ) -> None:
        self._files = dict(_read(folders)) | {name: _asset(path) for name, path in (files or {}).items()}
        if over is not None:
            self._files |= {name: _asset(over / name) for name in self._files if (over / name).is_file()}
        digest = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(asset.body).digest())
        self.build = digest.hexdigest()[:12]
        """The hash of everything: the build that a page belongs to."""

    def url(self, name: str) -> str:
        """Where a page loads the file; KeyError for a file that is not there, so that a typing error shows."""
        if name not in self._files:
            raise KeyError(f"no such asset: {name}")
        return f"/static/{self.build}/{name}"

    @property
    def names(self) -> frozenset[str]:
        """Every file that is served."""
        return frozenset(self._files)

    def reply(self, request: Request, build: str, name: str) -> Response:
        """The file, packed where the browser takes that; :class:`NotFound` for any other name."""
        asset = self._files.get(name)
        if asset is None:
            raise NotFound
        headers = {
            "content-type": asset.kind,
            "cache-control": FOREVER if build == self.build else "no-cache",
            "x-content-type-options": "nosniff",
            "vary": "Accept-Encoding",
        }
        if name.endswith("/worker.js"):
            headers["service-worker-allowed"] = "/"
        if asset.packs and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, headers=headers | {"content-encoding": "gzip"})
        return Response(asset.body, headers=headers)


def _read(folders: Mapping[str, Path]) -> Iterator[tuple[str, Asset]]:
    for prefix, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.suffix not in TYPES or not path.is_file():
                continue
            yield f"{prefix}/{path.relative_to(folder).as_posix()}", _asset(path)


def _asset(path: Path) -> Asset:
    return Asset(path.read_bytes(), TYPES[path.suffix], path.suffix in _PACKED)
