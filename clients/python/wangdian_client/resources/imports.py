"""Importing the history of an old queue machine."""

import os
from collections.abc import Callable
from pathlib import Path

from wangdian_client.calls import Call, Listing, Pause, Script, Upload, path
from wangdian_client.models.queue import ImportReport, Reject
from wangdian_client.resources.base import Resource, X, listing, operation

FINISHED = frozenset({"completed", "finished", "done", "failed"})
"""States after which an import does not change any more."""

_UPLOAD_TIMEOUT = 120.0
_POLL_FIRST, _POLL_LONGEST = 0.1, 2.0


class Imports(Resource[X]):
    """Imports (导入) of visits; the same file a second time changes nothing."""

    name = "queue.imports"

    @operation
    def upload(
        self,
        file: str | os.PathLike[str],
        format: str,  # noqa: A002 - the name of the form field
        unit: str,
        *,
        idempotency_key: str | None = None,
    ) -> Call[ImportReport]:
        """Send a file, streamed from the disk, to be imported into a branch; the reply comes before the import is over.

        `format`: `csv`, `ndjson` or `anonymous-bank`. The reply's `id` is what `wait`, `get` and `rejects` take.
        """
        return Call(
            method="POST",
            path="/queue/v1/imports",
            upload=Upload(Path(file), {"format": format, "unit": unit}),
            key=idempotency_key,
            timeout=_UPLOAD_TIMEOUT,
        )

    @operation
    def get(self, import_id: str) -> Call[ImportReport]:
        """How far an import is."""
        return _get(import_id)

    @operation
    def wait(self, import_id: str, *, progress: Callable[[ImportReport], object] | None = None) -> Script[ImportReport]:
        """Ask until the import is over and return its report, whatever its status; `progress` gets each reply.

        Waits without bound as long as the server answers: an import takes as long as its file.
        """
        pause = _POLL_FIRST
        while True:
            report: ImportReport = yield _get(import_id)
            if progress is not None:
                progress(report)
            if report["status"] in FINISHED:
                return report
            yield Pause(pause)
            pause = min(_POLL_LONGEST, pause * 1.5)

    @listing
    def rejects(self, import_id: str, *, limit: int | None = None) -> Listing[Reject]:
        """The lines that were not imported, with the reason of each."""
        return Listing(path("/queue/v1/imports/{}/rejects", import_id), limit=limit)


def _get(import_id: str) -> Call[ImportReport]:
    return Call(method="GET", path=path("/queue/v1/imports/{}", import_id))
