"""What happened in a demo, counted from confirmed writes only."""

from dataclasses import dataclass

from wangdian_client.exchange import Acknowledged

_COUNTED = {
    "queue.tickets.issue": "issued",
    "queue.windows.call_next": "called",
    "queue.visits.recall": "recalled",
    "queue.visits.finish": "served",
    "queue.visits.no_show": "no_show",
    "queue.visits.leave": "left",
    "surveys.responses.submit": "rated",
}


@dataclass
class Tally:
    """Counts of a demo. `refused`: conflicts met (a customer left while being called), which are no faults.

    `uninvited`: customers who wanted to rate and found no invitation in time. `repeated`: writes confirmed only after
    more than one attempt. `complete`: false if the time ran out first. Visits left over by earlier runs are served
    too, so `served` may exceed `issued`.
    """

    issued: int = 0
    called: int = 0
    recalled: int = 0
    served: int = 0
    no_show: int = 0
    left: int = 0
    rated: int = 0
    refused: int = 0
    uninvited: int = 0
    repeated: int = 0
    seconds: float = 0.0
    complete: bool = False

    def count(self, write: Acknowledged) -> None:
        """Count a confirmed write; a call-next that found nobody is none."""
        self.repeated += write.attempts > 1
        name = _COUNTED.get(write.kind)
        if name is not None and write.status != 204:
            setattr(self, name, getattr(self, name) + 1)
