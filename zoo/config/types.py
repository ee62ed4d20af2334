"""The types of a constructor's arguments that several models share; the schema checks them."""

from typing import Annotated

from pydantic import Field

Positive = Annotated[int, Field(ge=1)]
Widths = Annotated[list[Positive], Field(min_length=1)]  # of layers, or of filters
NumClasses = Annotated[int, Field(ge=2)]
VocabularySize = Annotated[int, Field(ge=3)]  # padding, unknown, and one word
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]  # of dropout, mostly; never 1
