"""What a constructor takes, also where several share it."""

from inspect import Parameter

from typing_extensions import NotRequired, TypedDict, Unpack

from tests.data import refused
from zoo.config import schema
from zoo.config.schema import parameters
from zoo.config.types import Positive


class Parent(TypedDict):
    width: Positive


class Shared(Parent):
    names: list[str]
    seed: NotRequired[Positive]


class WithShared:
    def __init__(self, *, depth: Positive, **shared: Unpack[Shared]) -> None:
        self.arguments = {"depth": depth, **shared}


class WrittenOut:
    def __init__(
        self, *, depth: Positive, width: Positive, names: list[str], seed: Positive | None = None
    ) -> None: ...


def test_shared_arguments_are_parameters_as_if_they_were_written_out():
    shared, written = parameters(WithShared), parameters(WrittenOut)
    assert [*shared] == [*written] == ["depth", "width", "names", "seed"]
    assert {n: p.default for n, p in shared.items()} == {n: p.default for n, p in written.items()}
    assert shared["width"] == written["width"]
    assert shared["seed"].annotation == Positive
    assert shared["names"].default is Parameter.empty


def test_the_schema_checks_shared_arguments():
    given, check = {"depth": 1, "width": 1, "names": ["a"]}, schema.arguments_of(WithShared)
    schema.validate(check, given, "")
    schema.validate(check, given | {"seed": 1}, "")
    refused("width is 0", schema.validate, check, given | {"width": 0}, "")
    refused("seed is 0", schema.validate, check, given | {"seed": 0}, "")
    refused("did you mean 'width'", schema.validate, check, given | {"widht": 1}, "")
    refused("width is missing", schema.validate, check, {"depth": 1, "names": ["a"]}, "")
