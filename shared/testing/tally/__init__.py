"""A tiny service of its own for tests of the kit: named totals and the order in which additions came."""
