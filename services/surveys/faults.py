"""What is wrong with a request by a rule of the domain, before it becomes a problem."""

from typing import NamedTuple


class Fault(NamedTuple):
    """A wrong field: JSON pointer into the request, stable code, and a sentence for developers."""

    pointer: str
    code: str
    detail: str
