"""From records to events: which of a batch must be read, and what could not be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from shared.bus.base import Record
from shared.contracts.base import EventData
from shared.events.envelope import Event, Unreadable, decode
from shared.events.handlers import Handler, Projection

BACKLOG: Final = 100
"""Records in a batch from which on a reader catches up. What comes as it happens is read whole, so that whatever a
producer writes amiss is found at once."""

Readable = tuple[Record, Event[EventData]]
Wanted = tuple[Record, type[EventData]]


class Read(NamedTuple):
    """``readable`` records with their events, in their order, and ``dead`` ones with why; how many were of types that
    nobody handles (``skipped``), and how many went unread because a newer event says more than they do."""

    readable: list[Readable]
    dead: list[tuple[Record, str]]
    skipped: int
    superseded: int


class Reader:
    """Reads the records of one service's consumer."""

    def __init__(self, handlers: Sequence[Handler]) -> None:
        self.kinds: Final[dict[str, type[EventData]]] = {
            kind.event_type: kind for handler in handlers for kind in handler.kinds
        }
        readers = Counter(kind for handler in handlers for kind in handler.kinds)
        self._states = {
            kind.event_type: handler.name
            for handler in handlers
            if isinstance(handler, Projection) and handler.states
            for kind in handler.kinds
            if readers[kind] == 1
        }
        """The types of which only one handler hears, and that one needs the newest of a subject alone."""

    def read(self, records: Sequence[Record], *, every: bool = False) -> Read:
        """Read ``records``, also superseded ones if ``every`` or if they are few.

        Where one cannot be read, all are: it may hide an older state that can.
        """
        every = every or len(records) < BACKLOG
        wanted, superseded = self._wanted(records, every=every)
        readable: list[Readable] = []
        dead: list[tuple[Record, str]] = []
        for record, kind in wanted:
            try:
                readable.append((record, decode(record.headers, record.value, kind)))
            except Unreadable as error:
                dead.append((record, error.code))
        if dead and superseded:
            return self.read(records, every=True)
        return Read(readable, dead, len(records) - len(wanted) - superseded, superseded)

    def _wanted(self, records: Sequence[Record], *, every: bool) -> tuple[Sequence[Wanted], int]:
        """The records to read, and how many are superseded."""
        found: list[Wanted | None] = []
        newest: dict[tuple[str, str], tuple[int, int]] = {}
        superseded = 0
        for record in records:
            headers = record.headers
            name = headers.get("ce_type")
            kind = self.kinds.get(name) if name is not None else None
            if kind is None:
                continue
            handler = None if every else self._states.get(kind.event_type)
            if handler is not None and (at := _place_of(headers)) is not None:
                subject, sequence = at
                known = newest.get((handler, subject))
                if known is not None:
                    superseded += 1
                    if known[0] >= sequence:
                        continue
                    found[known[1]] = None
                newest[handler, subject] = sequence, len(found)
            found.append((record, kind))
        return [each for each in found if each is not None], superseded


def _place_of(headers: Mapping[str, str]) -> tuple[str, int] | None:
    """Subject and sequence; None where reading the record will say that they are amiss."""
    try:
        return headers["ce_subject"], int(headers["ce_sequence"])
    except (KeyError, ValueError):
        return None
