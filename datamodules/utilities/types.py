"""The types of a constructor's arguments that several datamodules share; the schema checks them."""

from typing import Annotated

from pydantic import Field

Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]  # of the samples, for another split
