"""Requests and replies of responses."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.web.fields import CodeField, Command

Score = Annotated[int, Field(strict=True, ge=0, le=10)]
"""A whole number; its item's own scale is checked against the questionnaire."""


class ResponseRequest(Command):
    """The answers by item; optional items may be left out, not answered with a stand-in."""

    answers: dict[CodeField, Score] = Field(
        min_length=1, max_length=50, examples=[{"quality": 5, "efficiency": 4, "attitude": 5}]
    )


class ResponseReceipt(BaseModel):
    """The response is kept."""

    status: Literal["answered"] = "answered"
