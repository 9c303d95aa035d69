"""Replies of imports."""

from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field

from services.queue.imports.formats.registry import ALIASES, FORMATS


class ImportReport(BaseModel):
    """How far an import is: accepted + rejected = lines at any time.

    ``unchanged`` of the accepted lines told nothing new. ``failure`` is null unless the import failed or the file could
    not be read to its end (``gzip_truncated``, ``gzip_corrupt``, ``gzip_ratio``).
    """

    id: str
    unit: str
    format: str = Field(examples=["anonymous-bank"])
    status: Literal["queued", "running", "completed", "failed"]
    failure: str | None
    size: int = Field(description="Bytes uploaded")
    lines: int
    accepted: int
    rejected: int
    unchanged: int
    rejected_by_code: dict[str, int] = Field(examples=[{"phantom": 240, "no_ticket": 1198}])
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None


class RejectView(BaseModel):
    """A line that is not a visit: its number in the file (the header is line 1), the first wrong field, and why."""

    line: int = Field(examples=[7])
    field: str = Field(examples=["finished_at"])
    code: str = Field(examples=["out_of_order"])


UNIT_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "format", "unit"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The file, plain or gzip"},
                        "format": {"type": "string", "enum": sorted([*FORMATS, *ALIASES])},
                        "unit": {"type": "string", "pattern": UNIT_PATTERN},
                    },
                }
            }
        },
    },
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
            "description": "Required of integrations; equal uploads under one key are one import",
        }
    ],
}
"""The upload's body for the OpenAPI document; it is read as a stream, so no parameter of the route declares it."""


def report(row: Any) -> ImportReport:
    """The import as its row stands."""
    return ImportReport(**{name: getattr(row, name) for name in ImportReport.model_fields})


def reject_view(row: Any) -> RejectView:
    """A refused line."""
    return RejectView(line=row.line_no, field=row.field, code=row.code)
