"""Loading the example bank into the system that ``run`` starts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import httpx
import yaml
from fastapi import FastAPI
from wangdian_client import AsyncWangdian, Retry, WangdianError

from services.example_bank import FOLDER, LOADER, load_bank
from shared.observability.logging import get_logger

log = get_logger("example_bank")

PATIENCE: Final = Retry(attempts=1000, total=120.0)
"""The replicas follow within a second; a slow machine may need longer, and nobody waits for this load."""


def load_when_ready(app: FastAPI) -> None:
    """Have ``app`` load the example bank beside its first requests, once its lifespan has begun (embedded mode)."""
    begin = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[Any]:
        async with begin(application) as state:
            loading = asyncio.create_task(_load(application), name=LOADER)
            try:
                yield state
            finally:
                loading.cancel()
                with suppress(asyncio.CancelledError):
                    await loading

    app.router.lifespan_context = lifespan


async def _load(app: FastAPI) -> None:
    if not FOLDER.is_dir():
        log.warning("example_bank_missing")
        return

    def token() -> str:
        return str(app.state.issuer.issue("head_office", sub=LOADER, units=["*"]))

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncWangdian("http://embedded", token_provider=token, retry=PATIENCE, transport=transport) as client:
        try:
            done = await load_bank(client)
        except (WangdianError, OSError, yaml.YAMLError) as error:
            log.error("example_bank_failed", error=type(error).__name__, code=getattr(error, "code", ""))
        else:
            log.info("example_bank_loaded", count=done)
