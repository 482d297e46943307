"""A part of the settings, and the kinds of numbers in it; knows no setting."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0)]
Duration = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Seconds, some but not endlessly many."""
Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the settings; a key that it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
