"""Routes for operations: ``/metrics``, ``/livez``, ``/readyz``. In distributed mode they listen on the second port."""

from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel

from shared.observability.health import Readiness
from shared.web.problems import Problem, ProblemBody


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


class LoopStalled(Problem):
    """A loop stopped turning; the process should be started again. ``loops`` names it."""

    status = 503
    code = "loop_stalled"
    title_zh = "后台循环停止运转"
    title_en = "A background loop has stopped turning"


class NotReady(Problem):
    """Something this process needs does not answer; ``failed`` names the checks and the types of their errors."""

    status = 503
    code = "not_ready"
    title_zh = "系统尚未就绪"
    title_en = "Not ready"


router = APIRouter(tags=["operator"])
_UNAVAILABLE: dict[int | str, dict[str, Any]] = {503: {"model": ProblemBody, "description": "Not now; says what fails"}}


@router.get(
    "/metrics", operation_id="metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
)
async def metrics(request: Request) -> Response:
    """Prometheus exposition, as text or OpenMetrics."""
    body, content_type = await request.app.state.metrics.render(request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type})


@router.get("/livez", operation_id="livez", responses=_UNAVAILABLE)
async def livez(request: Request) -> Health:
    """Whether every loop of this process still turns; a database that is away does not matter here."""
    stalled = request.app.state.loops.stalled()
    if stalled:
        raise LoopStalled(loops=stalled)
    return Health()


@router.get("/readyz", operation_id="readyz", responses=_UNAVAILABLE)
async def readyz(request: Request) -> Health:
    """Whether this process can do its work now."""
    failed = await request.app.state.readiness.failed()
    if failed:
        raise NotReady(failed=failed, headers={"Retry-After": "1"})
    return Health()


def operator_routes(app: FastAPI) -> None:
    """Serve the routes on ``app``, whose state holds ``metrics`` and ``loops``; gives it ``readiness`` for checks."""
    if not hasattr(app.state, "readiness"):
        app.state.readiness = Readiness()
    app.state.metrics.registry.register(app.state.loops)
    app.include_router(router)
