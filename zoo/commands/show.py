"""Show a model's layers, the config of a data set or an experiment, the card of weights or of a
predictor.

Beside each convolution stands what a dense layer for the same map would cost.
"""

from argparse import ArgumentParser, Namespace
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

GROUPS = ("model", "data", "experiment")


class Layer(NamedTuple):
    """A line of the table: shapes without the batch axis."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    dense: int | None  # parameters of a dense layer from and to the same maps


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", help="a model, data set, experiment or weights of `zoo list`; a predictor's folder"
    )
    parser.add_argument(
        "-cd", "--config-dir", action="append", default=[], help="a folder like conf/ to add"
    )


def run(args: Namespace) -> None:
    from zoo.catalog import registry

    with registry.with_config_dirs(args.config_dir):
        print_name(args)


def print_name(args: Namespace) -> None:
    """All that there is of a name, or of a predictor's folder."""
    from zoo.automl.load import predictor_folder
    from zoo.catalog import registry
    from zoo.catalog.create import create_model
    from zoo.pretrained import store
    from zoo.utilities.errors import no_such

    if args.name in (released := store.released()):
        print_card(args.name, store.read(released[args.name]))
        return
    if folder := predictor_folder(args.name):
        print_predictor(folder)
        return
    groups = [group for group in GROUPS if args.name in registry.names(group)]
    if not groups:
        names = {name for group in GROUPS for name in registry.names(group)}
        raise ValueError(
            no_such("model, data, experiment or weights", args.name, names | {*released})
        )
    for group in groups:
        print_config(group, args.name)
    if "model" in groups:
        print_layers(create_model(args.name))


def print_card(name: str, card: Any) -> None:
    """What weights have seen, what they score and cost, and what they do not know."""
    from rich.table import Table

    from zoo.distributed.console import make_output
    from zoo.pretrained import model_card

    table = Table(title=name, title_justify="left", show_header=False)
    for key, value in model_card.describe(card):
        table.add_row(key, value)
    make_output(None).print(table)


def print_predictor(folder: Path) -> None:
    """Its members, and what its card says."""
    from rich.table import Column, Table

    from zoo.automl.info import MEMBER, describe, member_rows
    from zoo.automl.load import load
    from zoo.distributed.console import make_output

    card = load(folder).card
    columns = [Column(name, justify="right" if i > 1 else "left") for i, name in enumerate(MEMBER)]
    members = Table(*columns, title=card["name"], title_justify="left")
    for row in member_rows(folder, card):
        members.add_row(*row)
    facts = Table(show_header=False)
    for key, value in describe(card):
        facts.add_row(key, value)
    for table in (members, facts):
        make_output(None).print(table)


def print_config(group: str, name: str) -> None:
    """The file that makes it."""
    from zoo.catalog import registry

    path = registry.file(group, name)
    is_ours = path.is_relative_to(registry.conf_folder())
    print(f"conf/{group}/{name}.yaml" if is_ours else path)
    print("".join(f"    {line}\n" for line in path.read_text().splitlines()))


def print_layers(model: Any) -> None:
    """The table of layers and the sum of parameters."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from zoo.distributed.console import make_output
    from zoo.utilities.protocols import is_zoo_module

    total = sum(p.numel() for p in model.parameters())
    if not is_zoo_module(model):  # what its `forward` takes is not known
        print(f"{total:,} parameters; {type(model).__name__} is a plain LightningModule")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("layer", "kind"):
        table.add_column(name, overflow="fold")
    for name in ("output", "parameters", "dense\ninstead"):  # so that all fits into 80 columns
        table.add_column(name, justify="right")
    for layer in layers(model):
        shape = " x ".join(str(side) for side in layer.shape)
        dense = f"{layer.dense:,}" if layer.dense else ""
        table.add_row(layer.name, layer.kind, shape, f"{layer.parameters:,}", dense)
    console = make_output(None)
    console.print(table)
    size = " x ".join(str(side) for side in model.example_input_array.shape[1:])
    console.print(f"{total:,} parameters; input {size}")


def layers(model: Any) -> list[Layer]:
    """The layers that do the work, as Lightning's summary has them, each with its output."""
    from pytorch_lightning.utilities.model_summary import ModelSummary

    def forward(batch: Any) -> None:
        del model.forward  # the summary calls it once
        model.forward_all(batch)

    model.forward = forward
    summary = ModelSummary(model, max_depth=-1)
    parents = {name.rpartition(".")[0] for name in summary.layer_names}
    columns = (summary.layer_names, summary.layer_types, summary.in_sizes, summary.out_sizes)
    rows = zip(*columns, summary.param_nums, strict=True)
    return [
        Layer(name, kind, shape_of(output), count, dense_cost(inputs, output, kind))
        for name, kind, inputs, output, count in rows
        if name not in parents
    ]


def shape_of(size: Any) -> tuple[int, ...]:
    """A sample's shape; of a recurrent layer's output and state the output's."""
    first = size[0] if size and isinstance(size[0], list) else size
    return tuple(first[1:])


def dense_cost(inputs: Any, output: Any, kind: str) -> int | None:
    """Weights and biases of a dense layer between the maps of a convolution."""
    return (prod(inputs[1:]) + 1) * prod(output[1:]) if "Conv" in kind else None
