"""Quoting a wait with the parameters in force."""

from services.queue.estimates import queries
from services.queue.estimates.rules import START, Quote, QuoteParams, quote
from shared.db.uow import Reads


async def quote_for(reads: Reads, *, ahead: int, servers: int) -> Quote:
    """The wait in seconds for a ticket with ``ahead`` before it, or the reason why there is none."""
    row = await reads.one(queries.IN_FORCE, at=reads.now)
    params = QuoteParams.from_body(row.body | {"version": row.version}) if row is not None else START
    return quote(ahead, servers, params.mean_service_seconds, params)
