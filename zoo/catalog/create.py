"""Models and datamodules built by name."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule, LightningModule
from zoo.catalog.compose import compose_section
from zoo.utilities import packages


def create_model(name: str, pretrained: bool = False, **overrides: Any) -> "LightningModule":
    """Build a model with fresh weights, in the sizes of its bundled data, or a pretrained one.

    Args:
        name: one of `list_models()`; with `pretrained` also of `list_models(pretrained=True)`.
        pretrained: with its weights and input, in eval mode; see `zoo.load`. A model's name stands
            for its default weights, which are printed.
        overrides: constructor arguments that replace those of conf/model/<name>.yaml, or the
            card's; of pretrained ones another `num_classes` gives a fresh last layer.

    Raises:
        ValueError: no such model or argument, or a value out of its range.
    """
    if pretrained:
        from zoo.pretrained.load import load

        return load(name, **overrides)
    from zoo.config import schema

    packages.trust([overrides.get("_target_")])
    return schema.build(compose_section("model", name, overrides), "model")


def create_data(name: str, **overrides: Any) -> "LightningDataModule":
    """Build a datamodule; `prepare_data()` and `setup()` are the caller's (or the Trainer's).

    Args:
        name: one of `list_data()`.
        overrides: constructor arguments that replace those of conf/data/<name>.yaml.

    Raises:
        ValueError: no such data or argument, or a value out of its range.
    """
    from zoo.config import schema

    packages.trust([overrides.get("_target_")])
    return schema.build(compose_section("data", name, overrides), "data")
