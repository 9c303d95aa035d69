"""Which part of the organisation tree a caller reaches (数据权限)."""

from shared.security.principal import Principal

EVERYWHERE = "*"


def covers(principal: Principal, path: str) -> bool:
    """Whether the object at ``path`` lies in or below one of the caller's units.

    ``path`` is the unit's place in the tree, ``/hq/north/branch-1/``: its own id last. A caller without units covers
    nothing, whatever its roles; ``*`` among the units covers everything, also an object that belongs to no unit.
    What is not covered must be answered as 404, so that nobody learns which ids exist elsewhere.
    """
    if EVERYWHERE in principal.units:
        return True
    nodes = frozenset(node for node in path.split("/") if node)
    return not nodes.isdisjoint(principal.units)
