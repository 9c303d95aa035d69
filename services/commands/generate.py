"""The generated documents: OpenAPI, AsyncAPI, JSON Schemas, events, metrics, guide. ``make generate`` writes them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from services.aggregator.metrics.document import render_metrics
from services.commands.dashboards import dashboards
from services.commands.kubernetes import files as kubernetes
from services.registry import SERVICES, load
from shared.app import build_app
from shared.bus.rights import render as render_rights
from shared.bus.rights import rights
from shared.contracts.asyncapi import asyncapi, event_schema, render_events
from shared.contracts.base import catalogue
from shared.settings import Settings
from shared.testing.guide import render as render_guide
from shared.topics import render as render_topics

ROOT = Path(__file__).resolve().parents[2]


def _dump(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _openapi(names: list[str]) -> str:
    app: FastAPI = build_app(load(names), Settings.model_construct(mode="embedded"))
    return _dump(app.openapi())


def documents(root: Path = ROOT) -> dict[str, str]:
    """Every generated document by its path in the repository."""
    found = {f"docs/openapi/{name}.json": _openapi([name]) for name in SERVICES}
    found["docs/openapi/wangdian.json"] = _openapi(list(SERVICES))
    found["docs/asyncapi.json"] = _dump(asyncapi())
    found["docs/events.md"] = render_events()
    found["docs/metrics.md"] = render_metrics()
    found |= dashboards() | kubernetes()
    found["deploy/kafka/topics.yaml"] = render_topics()
    found["deploy/kafka/acls.yaml"] = render_rights(rights(load()))
    found["docs/guide.md"] = render_guide(root)
    for name, kind in catalogue().items():
        found[f"docs/schemas/{name}.json"] = _dump(event_schema(kind))
    return found


def main() -> None:
    """Write them all; files of events that are gone are removed."""
    texts = documents()
    for path in (ROOT / "docs/schemas").glob("*.json"):
        if f"docs/schemas/{path.name}" not in texts:
            path.unlink()
    for name, text in texts.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(texts)} documents\n")


if __name__ == "__main__":
    main()
