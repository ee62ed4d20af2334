"""Scores of weights on a test split: those that their card names, or other data."""

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytorch_lightning import Callback, LightningDataModule, Trainer

from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.catalog.parsing import trust
from zoo.config import schema
from zoo.config.migrate import refuse_old
from zoo.config.trainer import TESTING
from zoo.distributed.environment import environment, strategy
from zoo.metrics import confidence
from zoo.pretrained import store
from zoo.pretrained.load import load
from zoo.training import plain
from zoo.training.callbacks import SampleScores
from zoo.training.evaluator import Evaluator
from zoo.utilities import hardware
from zoo.utilities.protocols import input_of, is_zoo_module

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

Config = dict[str, Any]
TEST_KEYS = ("data", "evaluator", "trainer.accelerator", "trainer.precision")  # as overrides

SAID = (  # by Lightning, of what a run does on purpose
    "num_workers", "many workers", "logging interval", "not empty", "LeafSpec", "to overfit",
    "flops_per_batch", "_step`", "SWA is currently only supported every epoch",
)  # fmt: skip


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what Lightning says about itself; our own lines say what the run does."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for text in SAID:
            warnings.filterwarnings("ignore", f".*{text}.*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@quiet()
def evaluate(
    weights: str | Path, overrides: Sequence[str] = ()
) -> tuple[Config, Config, store.Card]:
    """Score weights.

    Args:
        weights: as for `zoo.load`.
        overrides: Hydra's, of data and trainer; without `data=` the data are the card's.

    Returns:
        The scores with their intervals, the config that they were made with, and the card.

    Raises:
        ValueError: no such weights; a wrong override; data of another kind, or with other classes.
    """
    model = load(weights)
    card = store.require_complete(model.card)
    config = compose_test(card, overrides)
    if warning := overlap(card["seen"], config):
        print(f"warning   {warning}", file=sys.stderr)
    evaluator = Evaluator(config) if config["evaluator"] else None
    data = open_test_data(config, model)
    return test(config, model, data, evaluator), config, card


def compose_test(card: Mapping[str, Any], overrides: Sequence[str] = ()) -> Config:
    """The config under which a card's model is tested."""
    for override in overrides:
        refuse_old(override.lstrip("+~").split("=")[0])
        if not override.lstrip("+~").startswith(TEST_KEYS):
            keys = ", ".join(TEST_KEYS)
            raise ValueError(f"{override!r} is not for a test: it takes {keys} (zoo train)")
    trust(overrides)
    choices, data_overrides = card["choices"], []
    if not any(override.lstrip("+").startswith("data=") for override in overrides):
        data_overrides = [f"data={choices['data']}", *as_overrides({"data": card["data"]})]
    config = compose([f"model={choices['model']}", *data_overrides, *overrides])
    config["trainer"]["precision"] = hardware.precision(config)
    return config


def open_test_data(config: Config, model: "ZooModule", classes: bool = True) -> Any:
    """The data, read as the model's input reads them, with the labels that it knows.

    Args:
        classes: whether the data must have the model's classes.
    """
    assert model.card is not None
    data = schema.build(config["data"], "data")
    names = model.classes if classes and is_zoo_module(model) else None
    data.use_input(input_of(model), model.card["info"], names)
    data.prepare_data()
    data.setup("test")
    return data


def overlap(trained_on: Mapping[str, str | None], config: Mapping[str, Any]) -> str | None:
    """What to say if the test samples are among those that a model has learned from.

    Args:
        trained_on: the data sets that it was trained on, each with the set that it is part of.
        config: names the data that are tested on.
    """
    name, origin = config["choices"]["data"], config["data"]["about"].get("part_of")
    common = [a for a, parent in trained_on.items() if a != name and origin in (a, parent)]
    if origin is None or not common:
        return None
    return (
        f"{name} is taken from {origin}'s training split, and so is what the model has learned "
        f"from ({', '.join(common)}): its score here is too good"
    )


def tests(config: Config) -> bool:
    """Whether a run reads its test split."""
    return config["trainer"].get("limit_test_batches") != 0


def test(
    config: Config, model: "ZooModule", data: LightningDataModule,
    evaluator: Evaluator | None,
) -> Config:  # fmt: skip
    """Score the test split, each sample once, with intervals; of no batches there are no scores."""
    if not tests(config) or not plain.has_step(model, "test_step"):
        return {}
    scores, trainer = SampleScores(), config["trainer"]
    callbacks: list[Callback] = [scores] if is_zoo_module(model) else []
    callbacks += [evaluator] if evaluator else []
    tester = Trainer(
        **{key: trainer[key] for key in TESTING if key in trainer},
        strategy=strategy(config),
        plugins=[environment()],
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    means = tester.test(model, datamodule=data, verbose=False)[0]
    return {**means, **confidence.with_intervals(scores.values())}
