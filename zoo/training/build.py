"""Data, then the model in their sizes, then the weights that it starts from."""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import OmegaConf
from pytorch_lightning import seed_everything

from zoo.catalog import registry
from zoo.catalog.own_data import OWN_TRAINING
from zoo.config import schema, trainer
from zoo.distributed import environment
from zoo.distributed.console import console
from zoo.pretrained import store
from zoo.pretrained.load import attach, fill, make_input
from zoo.training import plain
from zoo.training.evaluate import overlap
from zoo.training.vectors import settle_vectors
from zoo.utilities.protocols import is_zoo_module

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

Config = dict[str, Any]
LISTED = 20  # samples that are left out, and why


def build(
    config: Config, card: store.Card | None = None, data: Any = None
) -> tuple[Any, "ZooModule", store.Card | None]:
    """Data, model and the card of the weights that it starts from; the config gets their sizes.

    Args:
        card: of the weights that `init` names, if it was read already.
        data: a datamodule that is not prepared yet, in place of the one that the config describes.
    """
    start = store.open_weights(config["init"], card) if config["init"] else None
    data = open_data(config, start, data)
    settle_length(config, data)
    model = build_model(config, data, start)
    return data, model, start and start.card


def open_data(config: Config, start: store.Weights | None = None, data: Any = None) -> Any:
    """Prepare the data, as read by the model that is started from, and say what they are."""
    reader = make_input(start) if start else None
    data = data or schema.build(config["data"], "data")
    if start is not None:
        data.use_input(reader, start.card["info"])
    data.prepare_data()
    data.setup("fit")
    settle_vectors(config, data)
    if batch := data.shrink_batch(environment.world_size(config)):
        config["data"]["batch_size"] = data.hparams["batch_size"]
    counts = " / ".join(f"{n:,} {split}" for split, n in data.info["samples"].items())
    console.print(f"data      {config['choices']['data']}: {counts}")
    lines = [*data.notes, *([f"batch     {batch}"] if batch else [])]
    lines += [f"note      passed over: {files}" for files in data.info.get("passed_over", [])]
    skipped = data.info.get("skipped", [])
    lines += [f"skipped   {problem}" for problem in skipped[:LISTED]]
    lines += [f"skipped   {more:,} more"] if (more := len(skipped) - LISTED) > 0 else []
    for line in lines:
        console.print(line, soft_wrap=True)
    for problem in data.info.get("warnings", []):
        console.print(f"warning   {problem}")
    return data


def settle_length(config: Config, data: Any) -> None:
    """Count the epochs of a run whose length goes by the size of the data, and say so."""
    if not (length := config.get(OWN_TRAINING)):
        return
    section = config["trainer"]
    batches, limit = len(data.train_dataloader()), section["limit_train_batches"]
    batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    steps = max(ceil(batches / section["accumulate_grad_batches"]), 1)  # of an epoch
    least = length["min_epochs"] or section["max_epochs"]  # the recipe's
    epochs = max(min(round(length["steps"] / steps), length["max_epochs"]), least)
    if section["max_steps"] != -1:  # the user's, which end the run
        epochs = max(ceil(section["max_steps"] / steps), 1)
    section["max_epochs"] = epochs
    console.print(f"length    {epochs} epochs of {steps:,} steps ({OWN_TRAINING})")


def build_model(config: Config, data: Any, start: store.Weights | None = None) -> "ZooModule":
    """The model in the data's sizes, with seeded weights or those that are started from."""
    seed_everything(config["seed"], workers=True, verbose=False)
    defaults = start.card["model"] if start else read_defaults(config)
    info = data.info
    config["model"] = fill_sizes(config["model"], defaults, info)
    model: ZooModule = schema.build(config["model"], "model")
    attach(model, data.input, info)
    if not model.automatic_optimization:
        trainer.check_manual(config, type(model).__name__)
    if not is_zoo_module(model):
        plain.check(model, info, config)
    elif "loss_weights" in info:
        model.loss_weights = torch.tensor(info["loss_weights"])
    if start is not None:
        load_initial_weights(model, start, config)
    return model


def read_defaults(config: Config) -> Any:
    """The model's file, with what it says of sizes; nothing where a class itself was chosen."""
    name = config["choices"]["model"]
    return {} if schema.is_class(name) else OmegaConf.load(registry.file("model", name))


def fill_sizes(composed: Config, defaults: Mapping[str, Any], info: Mapping[str, Any]) -> Config:
    """Fill in each fact of the data that the model's constructor takes.

    Raises:
        ValueError: a value was given that is neither the model file's nor the data's.
    """
    arguments = schema.parameters(schema.locate(composed["_target_"]))
    section = dict(composed)
    for name in arguments.keys() & info.keys():
        if composed.get(name) not in (defaults.get(name), info[name]):
            raise ValueError(
                f"model.{name} is {composed[name]!r}: the data have {info[name]!r} and the "
                f"model's file {defaults.get(name)!r}; leave it out"
            )
        section[name] = info[name]
    return section


def load_initial_weights(model: "ZooModule", start: store.Weights, config: Config) -> None:
    """Take the weights that the run starts from, but for the last layer where classes differ."""
    new_head = is_zoo_module(model) and model.classes != start.card["info"].get("classes")
    fresh = fill(model, start.tensors, config["init"], new_head)
    console.print(f"init      {config['init']}")
    if fresh:
        console.print(f"new       {', '.join(fresh)}", soft_wrap=True)
    if warning := overlap(start.card["seen"], config):
        console.print(f"warning   {warning}")
