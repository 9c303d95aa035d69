"""What the operator's routes answer."""

from pydantic import BaseModel, ConfigDict, Field


class RebuildAccepted(BaseModel):
    """A rebuild will make the figures of ``generation`` from the facts; until then the present ones are read."""

    model_config = ConfigDict(json_schema_extra={"example": {"generation": 2}})

    generation: int = Field(ge=1)
