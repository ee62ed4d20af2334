"""What a model says of a few test samples, beside the truth: its first prediction needs no file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from datamodules.sources.locate import locate
from datamodules.utilities.windows import one_window
from zoo.catalog.compose import compose
from zoo.figures.evaluation import draw_answers
from zoo.figures.html import render
from zoo.figures.kinds import Picture
from zoo.nn.supervised import Classifier
from zoo.pretrained import store
from zoo.training.evaluate import compose_test, open_test_data, quiet

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

COUNT = 8


@dataclass(frozen=True)
class Examples:
    """Answers and truths, where the model classifies, and pictures of them."""

    title: str
    data: str
    truths: Sequence[str]
    answers: Sequence[Any]
    figures: dict[str, Picture]

    def page(self) -> str:
        """An HTML page that opens from disk."""
        values: Any = {"page_title": self.title, "data": self.data, "figures": self.figures}
        return render("pages/examples.html.j2", count=COUNT, **values)


@quiet()
def make_examples(model: "ZooModule") -> Examples:
    """Eight test samples of the data that the model was trained on, else of its bundled data."""
    config, is_own = choose_data(model)
    data = open_test_data(config, model, classes=is_own)
    inputs, labels = data.samples("test", COUNT)
    name, title = config["choices"]["data"], str((model.card or {}).get("name", ""))
    if not isinstance(model, Classifier):
        return Examples(title, name, [], [], model.eval().figures((inputs, labels)))
    with torch.inference_mode():
        answers = model.eval().predict_batch(inputs.to(model.device))
    truths = [data.info["classes"][label] for label in labels.tolist()]
    rate = getattr(model.input, "sample_rate", 0)
    raws = list(data.input.restore(one_window(inputs)))
    picture = draw_answers(raws, truths, answers, rate)
    return Examples(title, name, truths, answers, {"The truth, and the answer": picture})


def choose_data(model: "ZooModule") -> tuple[dict[str, Any], bool]:
    """The config of the data to show, and whether they are those that the model was trained on."""
    card = store.require_complete(model.card)
    config = compose_test(card)
    if is_here(config["data"]):
        return config, True
    name = card["choices"]["model"]
    other = compose([f"model={name}"])
    print(
        f"data      {config['choices']['data']} is not here (set ZOO_DATA): "
        f"these are {other['choices']['data']}",
        file=sys.stderr,
    )
    return other, False


def is_here(section: dict[str, Any]) -> bool:
    """Whether data are bundled, or found on this machine."""
    from zoo.config import schema

    data = schema.build(section, "data")
    if data.bundled:
        return True
    try:
        return isinstance(locate(section["name"], section["source"], section["hub"]), Path)
    except FileNotFoundError:
        return False
