"""The queue service: catalogue, windows, tickets and visits."""

from collections.abc import Sequence

from wangdian_client.calls import Call, Listing, path
from wangdian_client.models.queue import Channel, Contact, Service, ServiceDraft, Ticket, TicketView, Visit, Window
from wangdian_client.resources.base import Resource, X, listing, operation
from wangdian_client.resources.imports import Imports


class Services(Resource[X]):
    """The catalogue of services (业务)."""

    name = "queue.services"

    @listing
    def list(self, unit: str, *, limit: int | None = None) -> Listing[Service]:
        """The services a branch offers."""
        return Listing(path("/queue/v1/branches/{}/services", unit), limit=limit)

    @operation
    def put(
        self, code: str, service: ServiceDraft, *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Call[Service]:
        """Create or replace a service. `if_match`: only if it is still at that `ETag`, else `StaleVersion`."""
        target = path("/queue/v1/services/{}", code)
        return Call(method="PUT", path=target, json=service, if_match=if_match, key=idempotency_key)


class Windows(Resource[X]):
    """The windows (窗口) of a branch; all but `list` act for the teller of the token."""

    name = "queue.windows"

    @listing
    def list(self, unit: str, *, limit: int | None = None) -> Listing[Window]:
        """The windows of a branch with their state."""
        return Listing(path("/queue/v1/branches/{}/windows", unit), limit=limit)

    @operation
    def open(
        self, unit: str, no: int, *, services: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> Call[Window]:
        """Open a window for `services` (default: all it is set up for).

        Raises `Conflict` `not_qualified` if the teller lacks a qualification one of them needs at this moment.
        """
        body = {} if services is None else {"services": [*services]}
        return Call(method="POST", path=_window(unit, no, "open"), json=body, key=idempotency_key)

    @operation
    def take_break(self, unit: str, no: int, *, idempotency_key: str | None = None) -> Call[Window]:
        """Interrupt (暂停); the window calls nobody until `resume`."""
        return Call(method="POST", path=_window(unit, no, "break"), key=idempotency_key)

    @operation
    def resume(self, unit: str, no: int, *, idempotency_key: str | None = None) -> Call[Window]:
        """End the break."""
        return Call(method="POST", path=_window(unit, no, "resume"), key=idempotency_key)

    @operation
    def close(self, unit: str, no: int, *, idempotency_key: str | None = None) -> Call[Window]:
        """Close the window."""
        return Call(method="POST", path=_window(unit, no, "close"), key=idempotency_key)

    @operation
    def call_next(self, unit: str, no: int, *, idempotency_key: str | None = None) -> Call[Visit | None]:
        """Call the next customer (叫号) the window may serve; None if nobody waits for it."""
        return Call(method="POST", path=_window(unit, no, "call-next"), key=idempotency_key)


class Tickets(Resource[X]):
    """Taking a ticket (取号), and what its holder sees."""

    name = "queue.tickets"

    @operation
    def issue(
        self,
        unit: str,
        service: str,
        *,
        channel: Channel = "kiosk",
        class_: str = "ordinary",
        contact: Contact | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Ticket]:
        """Issue a ticket for a service of a branch. `class_` is the code of its class: ordinary, care (关爱), vip.

        Who serves says `channel="staff"` or `"phone"`: any other is refused, as its link would rate the visit.
        """
        body: dict[str, object] = {"service": service, "channel": channel, "class": class_}
        if contact is not None:
            body["contact"] = contact
        target = path("/queue/v1/branches/{}/tickets", unit)
        return Call(method="POST", path=target, json=body, key=idempotency_key)

    @operation
    def follow(self, token: str) -> Call[TicketView]:
        """What the holder of the ticket's token sees; no bearer token is sent."""
        return Call(method="GET", path=path("/queue/v1/t/{}", token), anonymous=True)

    @listing
    def waiting(self, unit: str, *, limit: int | None = None) -> Listing[Visit]:
        """Who waits at a branch, in the order in which they would be called."""
        return Listing(path("/queue/v1/branches/{}/waiting", unit), limit=limit)


class Visits(Resource[X]):
    """The course of a visit (到访). A step its state does not allow is a `Conflict` with `state` and `allowed`."""

    name = "queue.visits"

    @operation
    def get(self, visit: str) -> Call[Visit]:
        """The visit as it stands, with its `ETag`."""
        return Call(method="GET", path=path("/queue/v1/visits/{}", visit))

    @operation
    def recall(self, visit: str, *, if_match: str | None = None, idempotency_key: str | None = None) -> Call[Visit]:
        """Call again (重呼)."""
        return _step(visit, "recall", if_match, idempotency_key)

    @operation
    def start(self, visit: str, *, if_match: str | None = None, idempotency_key: str | None = None) -> Call[Visit]:
        """The customer is at the window."""
        return _step(visit, "start", if_match, idempotency_key)

    @operation
    def finish(self, visit: str, *, if_match: str | None = None, idempotency_key: str | None = None) -> Call[Visit]:
        """The business is done (办结)."""
        return _step(visit, "finish", if_match, idempotency_key)

    @operation
    def no_show(self, visit: str, *, if_match: str | None = None, idempotency_key: str | None = None) -> Call[Visit]:
        """The called customer did not come (过号)."""
        return _step(visit, "no-show", if_match, idempotency_key)

    @operation
    def leave(self, visit: str, *, if_match: str | None = None, idempotency_key: str | None = None) -> Call[Visit]:
        """The customer leaves without service (弃号)."""
        return _step(visit, "leave", if_match, idempotency_key)


class Queue(Resource[X]):
    """`client.queue`."""

    def __init__(self, runner: X) -> None:
        super().__init__(runner)
        self.services = Services(runner)
        self.windows = Windows(runner)
        self.tickets = Tickets(runner)
        self.visits = Visits(runner)
        self.imports = Imports(runner)


def _window(unit: str, no: int, verb: str) -> str:
    return path("/queue/v1/branches/{}/windows/{}/{}", unit, no, verb)


def _step(visit: str, verb: str, if_match: str | None, key: str | None) -> Call[Visit]:
    return Call(method="POST", path=path("/queue/v1/visits/{}/{}", visit, verb), if_match=if_match, key=key)
