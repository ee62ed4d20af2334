"""What a card says of a trained model: size, cost, scores, what it saw and does not know."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from datamodules.utilities.windows import one_window
from zoo.metrics.novelty import NoveltyDetector
from zoo.nn.supervised import Classifier
from zoo.training.comparison import headline
from zoo.utilities.protocols import is_zoo_module
from zoo.words import formats

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

TRAIN_SAMPLES, VAL_SAMPLES = 4_000, 1_000  # that the novelty detector is fitted on


def make_card(
    config: Mapping[str, Any], results: Mapping[str, Any], scores: Mapping[str, Any],
    model: "ZooModule", data: Any, initial_card: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """All of it but the digest.

    Args:
        config, results: of the run.
        scores: of these weights on the test split.
        initial_card: the card of the weights that the run began with.
    """
    choices, about = config["choices"], data.info["about"]
    metric = headline({**results, **scores})
    keys = ("seed", "command", "commit", "versions", "epochs", "train_seconds", "precision")
    return {
        "name": f"{choices['model']}.{choices['data']}",
        "choices": {key: choices[key] for key in ("experiment", "model", "data")},
        "model": config["model"],
        "data": config["data"],
        "info": data.info,
        "seen": {
            **seen_by_layers(config["model"].get("vectors")),
            **(initial_card or {"seen": {}})["seen"],
            choices["data"]: about.get("part_of"),
        },
        "licence": about.get("licence"),
        "limits": about.get("limits"),
        "score": metric,
        "metrics": dict(scores),
        "baseline": {key: results[key] for key in results if key.startswith("baseline")},
        **cost(model, data),
        **{key: results[key] for key in keys if key in results},
    }


def seen_by_layers(vectors: str | None) -> dict[str, Any]:
    """What a classifier has seen whose vectors a run began with, for its layers came with them."""
    source = formats.network(vectors) if vectors else None
    card = source.card if isinstance(source, Classifier) else None
    return dict(card["seen"]) if card else {}


def cost(model: "ZooModule", data: Any) -> dict[str, Any]:
    """Parameters, what one sample costs, and how much of it a number depends on."""
    parameters = sum(p.numel() for p in model.parameters())
    if not is_zoo_module(model):  # what its `forward` takes is not known
        return {"parameters": parameters}
    sample = example(model, data)
    return {
        "parameters": parameters,
        "flops": flops(model, sample),
        "flops_input": list(sample.shape[1:]),
        "receptive_field": model.receptive_field,
    }


def example(model: "ZooModule", data: Any) -> Tensor:
    """One sample as `forward` takes it: of the data, unless the model starts from noise."""
    sample, own = one_window(data.samples("test", 1)[0])[:1], model.example_input_array
    assert isinstance(own, Tensor)
    return sample if sample.ndim == own.ndim and sample.dtype == own.dtype else own


@torch.no_grad()
def flops(model: "ZooModule", sample: Tensor) -> int:
    """Multiplications and additions of matrices and convolutions for one sample."""
    model.eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TF32 acceleration")  # said of a switch that is not used
        # Without oneDNN a recurrent layer is made of matrix products, which are counted.
        with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
            model(sample.to(model.device))
    return int(counter.get_total_flops())


def novelty(model: "ZooModule", data: Any) -> NoveltyDetector | None:
    """What tells inputs that are unlike a classifier's training data."""
    if not isinstance(model, Classifier):
        return None
    train, labels = features_of(model, data, "train", TRAIN_SAMPLES)
    validation, _ = features_of(model, data, "val", VAL_SAMPLES)
    return NoveltyDetector.fit(train, labels, validation)


@torch.inference_mode()
def features_of(model: "ZooModule", data: Any, split: str, count: int) -> tuple[Tensor, Tensor]:
    """What the last layer sees (N, F) of samples of a split, and their labels (N,)."""
    inputs, labels = data.samples(split, count)
    model.eval()
    batches = (part.to(model.device) for part in inputs.split(256))
    return torch.cat([model.mean_features(part).float().cpu() for part in batches]), labels
