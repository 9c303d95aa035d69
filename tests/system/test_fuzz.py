"""Every operation under generated and hand-made input: no 5xx, schemas kept, nothing changed by rubbish."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
import requests
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from services.registry import load
from shared.app import build_app
from shared.security.route_table import route_access
from shared.settings import Settings
from shared.testing.system import system
from tests.system.small_bank import furnish

EXAMPLES = 20
REAL_MEMBERS = {"service": "cash", "class": "ordinary", "staff": "T0002", "unit": "gz-001", "services": ["cash"]}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
APP = build_app(load(), Settings())
DOCUMENT = APP.openapi()
ROLES = {(row.method, row.path): sorted(row.roles) for row in route_access(APP.routes)}
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
WRITES = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in ("post", "put", "patch", "delete")
]


class Driver(NamedTuple):
    """A furnished system on a loop of its own, driven from synchronous tests."""

    loop: asyncio.AbstractEventLoop
    bank: object

    def send(self, method, path, role, *, headers=None, **request):
        """One request as ``role`` with reach over all units."""
        running = self.bank.running
        given = running.headers(role, staff="M0001", units=("*",)) if role else {}
        sent = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in (given | (headers or {})).items()]
        return self.loop.run_until_complete(running.client.request(method, path, headers=sent, **request))

    def counts(self):
        """Rows of every table of every service."""

        async def count(runtime):
            tables = [*runtime.spec.metadata.tables.values(), *KIT_TABLES]

            async def ask(reads):
                return {t.name: await reads.scalar(sa.select(sa.func.count()).select_from(t)) for t in tables}

            return await runtime.db.read(ask)

        services = self.bank.running.app.state.services
        return {name: self.loop.run_until_complete(count(runtime)) for name, runtime in services.items()}

    def known(self):
        """Values of path parameters that exist."""
        return {
            "unit": "gz-001", "no": "2", "code": "cash", "person": "T0001", "service": "queue", "version": 1,
            "visit": self.bank.visit["id"], "token": self.bank.ticket["token"], "metric": "visits.opened",
        }  # fmt: skip


def kit_tables():
    from shared.db.tables import KIT

    return list(KIT.tables.values())


KIT_TABLES = kit_tables()


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()

    async def start():
        running = await stack.enter_async_context(system(load(), tmp_path_factory.mktemp("fuzz")))
        return await furnish(running)

    yield Driver(loop, loop.run_until_complete(start()))
    loop.run_until_complete(stack.aclose())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def is_problem(answer):
    """The shape that every error has."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert body["status"] == answer.status_code
    assert body["type"].endswith(f"/{body['code']}")
    assert body["title"]
    assert {frozenset(error) for error in body.get("errors", [])} <= {frozenset({"pointer", "code", "detail"})}
    return True


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_keeps_its_schema_under_generated_input(driver, operation):
    roles = ROLES[operation.method.upper(), operation.path] or [None]
    fitting = operation.as_strategy()
    try:
        wrong = operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)
        wrong.validate()
        cases = st.one_of(fitting, wrong)
    except Exception:  # an operation without parameters has no wrong input
        cases = fitting

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, role=st.sampled_from(roles), real=st.booleans())
    def run(case, role, real):
        if real and case.path_parameters:
            known = driver.known()
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        if real and isinstance(case.body, dict):
            case.body.update({name: value for name, value in REAL_MEMBERS.items() if name in case.body})
        given = case.as_transport_kwargs(base_url="http://wangdian.test")
        given["headers"] = {k: v for k, v in given["headers"].items() if k.lower() != "authorization"}
        prepared = requests.Request(**given).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        headers = {k.lower(): v if isinstance(v, str) else v.decode("latin-1") for k, v in prepared.headers.items()}
        headers.pop("content-length", None)
        answer = driver.send(prepared.method, prepared.url, role, headers=headers, content=body)
        checked = Response(
            status_code=answer.status_code,
            headers={name: answer.headers.get_list(name) for name in answer.headers},
            content=answer.content,
            request=prepared,
            elapsed=0.0,
            verify=False,
        )
        case.validate_response(checked, checks=CHECKS)
        assert answer.is_success or is_problem(answer)

    run()


def rubbish():
    """Bodies that no write takes, by what is wrong with them."""
    noise = random.Random(7)
    yield "random bytes", noise.randbytes(300)
    yield "bad UTF-8", b'{"service": "\xff\xfe\xc3\x28"}'
    yield "lone surrogate", b'{"service": "\\ud800", "reason": "\\udfff"}'
    yield "huge integer", b'{"version": ' + b"9" * 5000 + b"}"
    yield "huge number", b'{"expected_minutes": 1e999, "score": -1e999}'
    yield "NUL", b'{"service": "ca\\u0000sh", "code": "\\u0000"}'
    yield "NUL outside", b'\x00{"service": "cash"}'
    yield "deep arrays", b"[" * 100_000 + b"]" * 100_000
    yield "deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    yield "cut", b'{"service": "cash"'
    yield "two documents", b"{}{}"
    yield "a list", b"[]"
    yield "a number", b"17"
    yield "a string", b'"cash"'
    yield "not a number", b"NaN"
    yield "unknown member", b'{"__proto__": {"admin": true}}'
    yield "no JSON at all", b"service=cash&class=vip"


@pytest.mark.parametrize(("method", "path", "operation"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
def test_rubbish_on_a_write_is_a_clear_4xx_and_changes_nothing(driver, method, path, operation):
    role = next(iter(ROLES[method, path]), None)
    target = path.format(**({"letter": "x", "qualification": "x", "call": "x", "device": "x"} | driver.known()))
    before = driver.counts()
    takes_body = "requestBody" in operation
    for what, body in rubbish():
        if not takes_body:
            # A write without a body reads none: what a caller sends beside it must not matter.
            continue
        for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", None):
            headers = {} if kind is None else {"content-type": kind}
            answer = driver.send(method, target, role, content=body, headers=headers)
            assert (what, kind, answer.status_code) == (what, kind, answer.status_code)
            assert 400 <= answer.status_code < 500, (what, kind, answer.status_code, answer.text)
            assert is_problem(answer)
    large = driver.send(method, target, role, content=b'{"x": "' + b"y" * (2 << 20) + b'"}')
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        assert 400 <= large.status_code < 500
    else:
        assert (large.status_code, large.json()["code"]) == (413, "too_large")

    async def endless():
        for _ in range(40):
            yield b"z" * 65_536

    if takes_body:
        streamed = driver.send(method, target, role, content=endless(), headers={"content-type": "application/json"})
        assert 400 <= streamed.status_code < 500
        assert is_problem(streamed)
    assert driver.counts() == before


STRANGE = (
    "%00",
    "%ff%fe",
    "..",
    "%2e%2e%2f",
    "a%0ab",
    "x" * 5000,
    "%F0%9F%98%80",
    "'%20OR%201=1",
    "%2F%2F",
    "-",
    "9" * 400,
)

QUERIES = (
    "limit=0", "limit=201", "limit=x", f"limit={'9' * 400}", "cursor=%00", "cursor=x", f"cursor={'A' * 500}",
    "cursor=Ilx1MDAwMCI=", "cursor=IlxuZDgwMCI=",
)  # fmt: skip


def test_strange_ids_queries_and_headers_are_a_clear_4xx(driver):
    before = driver.counts()
    for (method, path), roles in ROLES.items():
        if "{" not in path:
            continue
        role = next(iter(roles), None)
        for strange in STRANGE:
            head, _, tail = path.partition("{")
            target = (head + strange + tail.partition("}")[2]).replace("{", "").replace("}", "")
            answer = driver.send(method, target, role)
            if "/v1/" not in path:
                # A page leads a stranger to the sign-in, and shows its refusals as a page.
                assert 300 <= answer.status_code < 500, (method, target[:80], answer.status_code)
                continue
            assert 400 <= answer.status_code < 500, (method, target[:80], answer.status_code)
            assert is_problem(answer)
    lists = [path for method, path in ROLES if method == "GET" and path.startswith("/queue/v1/branches")]
    for path in lists:
        for query in QUERIES:
            answer = driver.send("GET", f"{path.format(unit='gz-001')}?{query}", "teller")
            assert (query, answer.status_code < 500) == (query, True)
            assert answer.is_success or is_problem(answer)
    tickets = "/queue/v1/branches/gz-001/tickets"
    for key, status in (("k" * 129, 400), ("", 400), ("with space", 400), ("schl\xfcssel", 400)):
        answer = driver.send("POST", tickets, "kiosk", json={"service": "cash"}, headers={"idempotency-key": key})
        assert (key, answer.status_code, answer.json()["code"]) == (key, status, "idempotency_key_malformed")
    for match in ("x" * 65, "\xff", '"1', "W/"):
        answer = driver.send(
            "POST", f"/queue/v1/visits/{driver.bank.visit['id']}/recall", "teller", headers={"if-match": match}
        )
        assert answer.status_code in (412, 422)
        assert is_problem(answer)
    assert driver.counts() == before
