"""One run being read: bytes of the spool to chunks that are ready to be kept."""

import asyncio
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Final
from zoneinfo import ZoneInfo

from services.queue.imports import rules
from services.queue.imports.formats.registry import FORMATS
from services.queue.imports.parsing import FileParser
from services.queue.imports.rows import Context, Reject, VisitRow
from services.queue.imports.service import Chunk, Entry
from services.queue.imports.spool import Spool
from services.queue.tickets.views import told
from shared.contracts.queue import VisitAbandoned, VisitCompleted, VisitNoShow, VisitState
from shared.db.statements import Row
from shared.events.outgoing import Outgoing

LINES: Final = 250
"""Lines a chunk: fewer cost throughput (a sync and scattered index pages each), more hold the writer for too long."""
SECONDS: Final = 0.5
"""A slice ends after this time whatever it found, so that a file of nothing does not look like a stopped loop."""
BLOCK: Final = 65_536

_EVENTS: Final[dict[str, type[VisitState]]] = {
    "served": VisitCompleted,
    "left": VisitAbandoned,
    "no_show": VisitNoShow,
}
Record = VisitRow | Reject


class Session:
    """Reads one run from its beginning and passes over what the run has kept already.

    Reading again up to there costs about a second for 50,000 lines and needs no state of the parsers on disk, for gzip
    and headers alike. ``pseudonym`` stands for an outside staff reference in what is told.
    """

    def __init__(self, run: Row, zone: str, spool: Spool, pseudonym: Callable[[str], str]) -> None:
        self.run = run
        self._source = rules.source_of(run.format)
        self._parser = FileParser(FORMATS[run.format], Context(ZoneInfo(zone), run.created_at))
        self._spool = spool
        self._pseudonym = pseudonym
        self._pseudonyms: dict[str, str] = {}
        self._records = self._read()
        self._seen = 0
        self._kept = run.lines
        self._ahead: asyncio.Future[Chunk | None] | None = None

    async def chunk(self) -> Chunk | None:
        """The next chunk; None when this slice of the file held nothing to keep.

        The one after it is read in a thread while this one is kept.
        """
        chunk = await (self._ahead or self._begin())
        self._ahead = None if chunk is not None and chunk.last else self._begin()
        return chunk

    def _begin(self) -> "asyncio.Future[Chunk | None]":
        ahead = asyncio.get_running_loop().run_in_executor(None, self._slice)
        # A session that is given up leaves its last slice to nobody.
        ahead.add_done_callback(lambda done: done.cancelled() or done.exception())
        return ahead

    def _slice(self) -> Chunk | None:
        entries: list[Entry] = []
        rejects: list[Reject] = []
        until = time.monotonic() + SECONDS
        last = False
        while len(entries) + len(rejects) < LINES and time.monotonic() < until:
            record = next(self._records, _END)
            if record is _END:
                last = True
                break
            if record is None:
                continue
            self._seen += 1
            if self._seen <= self._kept:
                continue
            if isinstance(record, Reject):
                rejects.append(record)
            elif isinstance(record, VisitRow):
                entries.append(self._entry(record))
        if not (entries or rejects or last):
            return None
        return Chunk(entries, rejects, last, self._parser.damage if last else None)

    def _read(self) -> Iterator[Record | None]:
        """All records; None after each block of the file, for those that hold no record."""
        offset = 0
        while block := self._spool.read(self.run.id, offset, BLOCK):
            offset += len(block)
            yield from self._parser.feed(block)
            yield None
        yield from self._parser.close()

    def _entry(self, row: VisitRow) -> Entry:
        run = self.run
        visit = rules.columns(row, source=self._source, unit=run.unit)
        visit["content"] = rules.content(row, run.sha256, self._seen)
        visit["version"] = 1
        staff = None if row.staff_ref is None else self._known(row.staff_ref)
        data = told(_EVENTS[row.outcome], SimpleNamespace(**visit), staff_external=staff)
        # A file may state a wait that ends after its upload; an event is never from the future.
        return Entry(visit, Outgoing(data, visit["id"], min(rules.ended_at(row), run.created_at), "import"))

    def _known(self, reference: str) -> str:
        found = self._pseudonyms.get(reference)
        if found is None:
            if len(self._pseudonyms) > 10_000:
                self._pseudonyms.clear()
            found = self._pseudonyms[reference] = self._pseudonym(reference)
        return found


_END: Final = object()
