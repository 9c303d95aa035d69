"""Use case of scores: the lines of a subtree and a span of business days."""

from collections import defaultdict
from datetime import date

from services.surveys.scores import queries, rules
from services.surveys.scores.rules import Count, Score
from shared.contracts.surveys import Dimension
from shared.db.uow import Reads
from shared.directory.replica import AFTER_ANY_ID

Line = tuple[str, Score | None]


async def lines(reads: Reads, path: str, first: date, last: date) -> list[Line]:
    """Each dimension that was answered, then ``overall``; None where too few customers answered.

    ``path`` is the unit's place in the tree; business days are the visits', so a late answer counts for its own day.
    """
    scope = {"top": path, "beyond": path + AFTER_ANY_ID, "first": first, "last": last}
    customers = {row.dimension: row.customers for row in await reads.all(queries.CUSTOMERS, **scope)}
    counts: dict[str, list[Count]] = defaultdict(list)
    for row in await reads.all(queries.DISTRIBUTION, **scope):
        count = Count(row.score, row.scale_min, row.scale_max, row.answers)
        counts[row.dimension].append(count)
        counts[queries.OVERALL].append(count)
    shown = [dimension.value for dimension in Dimension if dimension.value in counts]
    return [(name, rules.score_of(counts[name], customers.get(name, 0))) for name in (*shown, queries.OVERALL)]
