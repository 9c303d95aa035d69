"""Services, windows, tickets, visits and imports (业务、窗口、号票、到访、导入)."""

from typing import Any, Literal, NotRequired, TypedDict

Channel = Literal["kiosk", "app", "staff", "phone"]
VisitStatus = Literal["waiting", "called", "serving", "served", "no_show", "left"]
WindowState = Literal["closed", "open", "break"]


class Names(TypedDict):
    """A text in the two languages of the house."""

    zh: str
    en: str


class ServiceDraft(TypedDict):
    """What a service (业务) is; `materials` is the structured list of what a customer must bring."""

    names: Names
    prefix: str
    expected_minutes: int
    required_qualification: NotRequired[str | None]
    materials: NotRequired[list[dict[str, Any]]]
    steps: NotRequired[list[Any]]


class Service(ServiceDraft):
    """A service as a branch offers it."""

    code: str


class Window(TypedDict):
    """A window (窗口): who sits there, which services it takes, the id of the visit it is busy with."""

    no: int
    state: WindowState
    staff_id: str | None
    services: list[str]
    visit: NotRequired[str | None]


class Quote(TypedDict):
    """The wait quoted with a ticket, in seconds; both are None, with a `reason`, where no honest figure exists."""

    p50: float | None
    p80: float | None
    reason: NotRequired[str]


class Contact(TypedDict):
    """How to reach a customer who left a contact."""

    phone: str


class Ticket(TypedDict):
    """An issued ticket (号票): `id` is the visit's, `token` is all the customer's phone ever holds."""

    id: str
    number: str
    status: VisitStatus
    ahead: int
    quote: Quote
    token: str
    print: list[str]
    qr: str


class Visit(TypedDict):
    """A visit (到访) from ticket to end; `version` grows with every change and is the `ETag`."""

    id: str
    number: str
    status: VisitStatus
    window: int | None
    version: int
    service: NotRequired[str]


class TicketView(TypedDict, total=False):
    """What the holder of a ticket token sees."""

    number: str
    status: VisitStatus
    ahead: int
    quote: Quote
    window: int | None


class ImportReport(TypedDict):
    """How far an import is: accepted + rejected = lines, once it is over."""

    id: NotRequired[str]
    status: str
    lines: int
    accepted: int
    rejected: int
    rejected_by_code: dict[str, int]
    unchanged: int


class Reject(TypedDict):
    """A line that was not imported: its number, the field at fault (None: the line as a whole), and why."""

    line: int
    field: str | None
    code: str
