"""The kinds of policy that the queue service decides by."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from shared.policies.kinds import PolicyBody, PolicyKind

Minutes = Annotated[int, Field(ge=1, le=1_440)]


class HallPolicy(PolicyBody):
    """How long a hall waits for things that nobody ends (厅堂时限)."""

    help_waits_minutes: Minutes = 120
    """Who called for a person longer ago has gone: the call stays on record, and is shown to nobody."""
    forgotten_after_minutes: Minutes = 120
    """After the end of the business day: a service that spans it is finished by its teller, one still open then was
    forgotten."""
    device_silent_seconds: Annotated[int, Field(ge=30, le=3_600)] = 90
    """A kiosk or board that was not heard for longer is silent. It beats every 30 s: two may get lost on the way."""

    @property
    def help_waits(self) -> timedelta:
        """For how long a call for a person is news."""
        return timedelta(minutes=self.help_waits_minutes)

    @property
    def forgotten_after(self) -> timedelta:
        """How long after its day a service may still be open."""
        return timedelta(minutes=self.forgotten_after_minutes)

    @property
    def device_silent(self) -> timedelta:
        """How long a device may be silent."""
        return timedelta(seconds=self.device_silent_seconds)


HALL: Final = PolicyKind("queue.hall", HallPolicy)
