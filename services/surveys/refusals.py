"""Faults found by the rules become one problem that names them all."""

from collections.abc import Sequence

from services.surveys.faults import Fault
from shared.web.problems import FieldError, InvalidRequest


def refuse(faults: Sequence[Fault]) -> None:
    """Refuse the request with every fault named (422); no fault, no refusal."""
    if faults:
        raise InvalidRequest(errors=[FieldError(**fault._asdict()) for fault in faults])
