"""HTTP as every service speaks it: routes, problems, idempotency, paging, the client of other services."""
