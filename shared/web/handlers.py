"""Every error leaves as problem+json, in the caller's language."""

import json
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from shared.db.errors import DatabaseUnavailable, IntegrityViolation, UniqueConflict, ValueRefused
from shared.observability.logging import get_logger
from shared.observability.tracing import trace_id
from shared.web.problems import (
    AlreadyExists,
    BadBody,
    FieldError,
    InternalError,
    InvalidRequest,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
)

log = get_logger("http")


def language_of(request: Request) -> str:
    """``zh`` or ``en``: the better placed of the two in Accept-Language, zh when neither is asked for."""
    best, best_weight = "zh", 0.0
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.split("-")[0]
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in ("zh", "en") and value > best_weight:
            best, best_weight = language, value
    return best


def respond(request: Request, problem: Problem) -> Response:
    """The problem as a response."""
    body = json.dumps(problem.body(language_of(request), trace_id()), ensure_ascii=False, default=str).encode(
        errors="replace"
    )
    headers = {"Cache-Control": "no-store", "Content-Language": language_of(request)} | problem.headers
    return Response(body, problem.status, headers, "application/problem+json")


def _pointer(location: tuple[Any, ...]) -> str:
    where, *rest = location or ("body",)
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in rest]
    prefix = "" if where == "body" else f"/{where}"
    return prefix + "".join(f"/{part}" for part in parts) or "/"


def validation_problem(error: RequestValidationError) -> Problem:
    """The fields that do not fit, each by pointer; a body that is no JSON at all is ``unreadable_body``."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return BadBody()
    return InvalidRequest(
        errors=[FieldError(pointer=_pointer(item["loc"]), code=item["type"], detail=item["msg"]) for item in found[:50]]
    )


def http_problem(error: HTTPException) -> Problem:
    """Starlette's own errors (404, 405, unreadable bodies) as problems."""
    if error.status_code == 404:
        return NotFound()
    if error.status_code == 413:
        return TooLarge()
    if error.status_code == 400:
        return BadBody()
    phrase = HTTPStatus(error.status_code).phrase
    title_zh = {405: "不支持此请求方法", 406: "无法提供所请求的格式", 415: "不支持此内容类型"}.get(
        error.status_code, phrase
    )
    code = phrase.lower().replace(" ", "_")
    kind = type("HttpProblem", (Problem,), {
        "status": error.status_code, "code": code, "title_en": phrase, "title_zh": title_zh,
    })  # fmt: skip
    return cast(Problem, kind(headers=dict(error.headers or {})))


_OF_THE_DATABASE: dict[type[Exception], type[Problem]] = {
    UniqueConflict: AlreadyExists,
    IntegrityViolation: InvalidRequest,
    ValueRefused: InvalidRequest,
}


def to_problem(error: Exception) -> Problem:
    """The problem that stands for any exception; an unknown one is ours to answer for."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return validation_problem(error)
    if isinstance(error, HTTPException):
        return http_problem(error)
    if isinstance(error, DatabaseUnavailable):
        return Unavailable()
    return _OF_THE_DATABASE.get(type(error), InternalError)()


def _methods(request: Request) -> list[str]:
    """Every method that some route takes at this path; the router itself names those of the first only."""
    scope = {**request.scope, "path_params": {}}
    matching = (route for route in request.app.routes if isinstance(route, Route))
    return sorted({m for route in matching if route.matches(scope)[0] is not Match.NONE for m in route.methods or ()})


def install(app: FastAPI) -> None:
    """Answer every exception of ``app`` with a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = to_problem(error)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem.headers["Allow"] = ", ".join(_methods(request))
        if problem.status >= 500:
            log.error("request_failed", code=problem.code, error=type(error).__name__, exc_info=error)
        if problem.status == 404 and "text/html" in request.headers.get("accept", ""):
            # Somebody at a browser has typed an address or followed an old link.
            found: Response = request.app.state.site.refusal(request, problem)
            return found
        return respond(request, problem)

    for kind in (Problem, RequestValidationError, HTTPException, ResponseValidationError, DatabaseUnavailable,
                 UniqueConflict, IntegrityViolation, ValueRefused):  # fmt: skip
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, answer)
