"""Quoting a wait with the parameters in force."""

from services.queue.estimates import queries
from services.queue.estimates.rules import START, Quote, QuoteParams, quote
from shared.db.uow import Reads

_known: dict[int, QuoteParams] = {}
"""Parameters by version; a version never changes."""


async def params(reads: Reads) -> QuoteParams:
    """The parameters in force."""
    version = await reads.scalar(queries.IN_FORCE, at=reads.now)
    found = START if version is None else _known.get(version)
    if found is None:
        body = await reads.scalar(queries.BODY, version=version)
        found = _known[version] = QuoteParams.from_body(body | {"version": version})
    return found


async def quote_for(reads: Reads, *, ahead: int, servers: int, idle: int) -> Quote:
    """The wait in seconds for a ticket with ``ahead`` before it, or the reason why there is none."""
    in_force = await params(reads)
    return quote(ahead, servers, in_force.mean_service_seconds, in_force, idle=idle)
