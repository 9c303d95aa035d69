"""Quoting a wait with the parameters in force."""

from services.queue.estimates import queries
from services.queue.estimates.rules import START, Quote, QuoteParams, quote
from shared.db.uow import Reads

_known: dict[int, QuoteParams] = {}
"""Parameters by version; a version never changes."""


async def quote_for(reads: Reads, *, ahead: int, servers: int) -> Quote:
    """The wait in seconds for a ticket with ``ahead`` before it, or the reason why there is none."""
    version = await reads.scalar(queries.IN_FORCE, at=reads.now)
    params = START if version is None else _known.get(version)
    if params is None:
        body = await reads.scalar(queries.BODY, version=version)
        params = _known[version] = QuoteParams.from_body(body | {"version": version})
    return quote(ahead, servers, params.mean_service_seconds, params)
