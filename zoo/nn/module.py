"""The base of all models.

Shapes: B samples.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from datamodules.utilities.catalogued import Catalogued
from datamodules.utilities.windows import Windows
from zoo.figures.kinds import Picture
from zoo.metrics.novelty import NoveltyDetector
from zoo.nn import optim
from zoo.nn.hooks import layer_outputs, record_calls
from zoo.pretrained.export_spec import ExportSpec, InputSpec
from zoo.pretrained.huggingface import HubMixin
from zoo.utilities.compat import trainer_of
from zoo.utilities.errors import no_such
from zoo.utilities.modes import in_eval_mode, train_again

MODEL_STREAM = 2  # of the random draws of a batch; 0 is augmentation's


class ZooModule(HubMixin, LightningModule, metaclass=Catalogued):
    """A LightningModule that is the network itself and, with its input attached, takes raw data.

    `input` turns raw data into a batch, `classes` are the names of the outputs, and `novelty`
    scores how unlike the training data an input is; they come from the data in a run, or from the
    card with the weights. `card` is that of loaded weights. `loss_weights` are those of the classes
    (K,), where a run trains with some.
    """

    loss_weights: Tensor | None

    MAKER: ClassVar = "zoo.create_model(NAME)"
    head_prefixes: ClassVar[tuple[str, ...]] = ("head.",)  # of the tensors that depend on classes
    batch_is: ClassVar[str] = "inputs (B, ...) and labels (B,)"  # when training
    export_names: ClassVar[tuple[str, str]] = ("inputs", "outputs")  # of what `forward` maps
    find_unused_parameters: ClassVar[bool] = False  # a step leaves some without a gradient

    def __init__(self) -> None:
        super().__init__()
        self.input: Any = None
        self.classes: list[str] | None = None
        self.novelty: NoveltyDetector | None = None
        self.card: dict[str, Any] | None = None
        self._draws: tuple[Any, torch.Generator] | None = None
        self._collections: dict[str, MetricCollection] = {}  # by stage; no layers
        self._stage: str | None = None  # of the metrics that `scores` updates
        self.register_buffer("loss_weights", None, persistent=False)

    @property
    def receptive_field(self) -> str:
        """The receptive field: how much of an input a number of the last map depends on."""
        return "the whole input"

    @property  # type: ignore[misc]  # Lightning's has a setter, which raises
    def dtype(self) -> torch.dtype:
        """Of its numbers: Lightning's own misses what `bfloat16()` changes."""
        numbers = (weight.dtype for weight in self.parameters() if weight.is_floating_point())
        return next(numbers, torch.get_default_dtype())

    def forward_all(self, batch: Tensor) -> None:
        """Pass what `forward` takes through every network of the model, in turn."""
        self(batch)

    def postprocess(self, output: Tensor) -> list[Any]:
        """Map what `forward` gives to plain Python, one item a sample."""
        raise NotImplementedError

    def figures(self, batch: Any) -> dict[str, Picture]:
        """Pictures for the report, by title, of a normalised test batch."""
        return {}

    @torch.inference_mode()
    def predict(self, raws: Any, batch_size: int = 64) -> list[Any]:
        """Answer for raw data as a person has it: one item or several.

        The model's mode stays as it is, and threads may ask one model at once.

        Args:
            raws: several are a list, a tuple, a generator, a Series, or an array of them, of texts
                or of paths; see `as_list` of the input.
            batch_size: items that the network sees at once.

        Raises:
            ValueError: no input is attached, or the data cannot be read.
        """
        model = in_eval_mode(self)
        batches = self.batches(raws, batch_size)
        return [answer for batch in batches for answer in model.predict_batch(batch)]

    def predict_batch(self, batch: Any) -> list[Any]:
        """Answer for a batch as `forward` takes it, or for `Windows`."""
        return self.postprocess(self(batch))

    def batches(self, raws: Any, size: int) -> Iterator[Tensor | Windows]:
        """Raw data, one item or a list, as batches of at most `size`; see `as_input`.

        Of recordings with windows a batch has all windows of one or more.
        """
        samples = self.as_list(raws)
        for start in range(0, len(samples), size):
            batch = self.preprocess(samples[start : start + size])
            yield from self.as_input(batch).split(size)

    def as_list(self, raws: Any) -> list[Any]:
        """Raw data, one item or several, as a list; a ValueError where no input is attached."""
        if self.input is None:
            raise ValueError("this model has no input: load it with its weights (zoo.load)")
        return list(self.input.as_list(raws))

    def preprocess(self, raws: Any) -> Any:
        """Raw data as what `forward` takes, or their `Windows`; errors are those of `as_list`."""
        return self.input(self.as_list(raws))

    def as_input(self, batch: Any) -> Any:
        """A batch on this model's device; numbers, not ids, in the precision of its weights."""
        if isinstance(batch, Windows):
            return batch.to(self.device).map(self.as_input)
        return batch.to(self.device, self.dtype if batch.is_floating_point() else None)

    @torch.no_grad()  # not inference_mode: a layer can be trained on features
    def features(self, raws: Any, layers: Sequence[str] | None = None, batch_size: int = 64) -> Any:
        """Features of raw data: what the last layer sees, or what named layers give.

        Args:
            raws: as for `predict`.
            layers: names of layers (`named_modules`); None: what the last layer sees.
            batch_size: items that the network sees at once.

        Returns:
            A tensor (N, ...) on the CPU; with `layers` a dict of them, by name. Of recordings
            with windows they are means over these.

        Raises:
            ValueError: no such layer, no input, or data that cannot be read.
        """
        model = in_eval_mode(self)
        batches = self.batches(raws, batch_size)
        if layers is None:
            return torch.cat([model.mean_features(batch).cpu() for batch in batches])
        names = [name for name, _ in self.named_modules() if name]
        if unknown := [name for name in layers if name not in names]:
            raise ValueError(no_such("layer", unknown[0], names))
        return layer_outputs(model, layers, batches)

    def forward_features(self, batch: Any) -> Tensor:
        """What the last layer sees (B, ...) of what `forward` takes.

        Raises:
            ValueError: this model has none.
        """
        if "head" not in dict(self.named_children()):
            raise ValueError(
                f"{type(self).__name__} has no layer called head: name those you want in layers="
            )
        features: Tensor = record_calls(self, ["head"], batch)[-1].inputs[0]
        return features

    def mean_features(self, batch: Any) -> Tensor:
        """What the last layer sees of a batch, of recordings the mean over their windows."""
        if isinstance(batch, Windows):
            return batch.mean(self.forward_features(batch.inputs))
        return self.forward_features(batch)

    def export_spec(self) -> ExportSpec:
        """What `zoo export` writes: here `forward`, whose example fixes all sizes but the batch."""
        example: Any = self.example_input_array
        below = None if example.is_floating_point() else int(example.max()) + 1
        inputs = InputSpec(("batch", *example.shape[1:]), below)
        return ExportSpec(self, {self.export_names[0]: inputs}, self.export_names[1:])

    def on_fit_start(self) -> None:
        train_again(self)  # Lightning keeps the mode in which `zoo.load` gives a model

    def scores(self, batch: Any, stage: str) -> dict[str, Tensor]:
        """Score each sample (N,) of a batch by metric; the mean of `loss` is what training lowers.

        Args:
            stage: train, val or test.
        """
        raise NotImplementedError

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self._score_and_log(batch, "train")["loss"].mean()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._score_and_log(batch, "val")

    def test_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Return the score of each sample (N,) by metric: their spread gives the interval."""
        scores = self._score_and_log(batch, "test")
        return {f"test/{name}": values.detach() for name, values in scores.items()}

    def predict_step(self, batch: Any, batch_idx: int = 0) -> list[Any]:
        """Answers for a batch; what goes with its inputs is left out."""
        return self.predict_batch(batch[0] if isinstance(batch, tuple | list) else batch)

    def metrics(self) -> dict[str, Metric]:
        """What validation and test measure over all samples at once; `measure` updates them."""
        return {}

    def measure(self, predictions: Tensor, targets: Tensor) -> None:
        """Update the metrics with a batch, if a step of validation or test calls `scores`."""
        if self._stage is not None:
            self._collections[self._stage].update(predictions, targets)

    def _score_and_log(self, batch: Any, stage: str) -> dict[str, Tensor]:
        """The scores, their means and the metrics logged under <stage>/<metric> for the epoch."""
        metrics: Any = {}
        if stage != "train":
            if stage not in self._collections:
                self._collections[stage] = MetricCollection({**self.metrics()}, prefix=f"{stage}/")
            self._stage, metrics = stage, self._collections[stage].to(self.device)
        scores, self._stage = self.scores(batch, stage), None
        means = {f"{stage}/{name}": values.detach().mean() for name, values in scores.items()}
        size = len(next(iter(scores.values())))
        for name, value in [*means.items(), *metrics.items()]:
            options: Any = {"batch_size": size, "sync_dist": True, "metric_attribute": name}
            self.log(name, value, on_step=False, on_epoch=True, **options)
        return scores

    def configure_optimizers(self) -> Any:
        return optim.configure(self, self.hparams["optimizer"])

    def draw(self, sampler: Callable[..., Tensor], *shape: int) -> Tensor:
        """Random numbers (B, ...) for the rows of this batch: `self.draw(torch.randn, B, 64)`.

        On the zoo's own data they are drawn for the whole global batch, as a function of seed,
        epoch and batch, so that neither the number of devices nor an interruption changes them.
        """
        key = getattr(getattr(trainer_of(self), "datamodule", None), "key", None)
        if key is None:
            return sampler(*shape, device=self.device)
        place = key, getattr(self.trainer, "sanity_checking", False)
        if self._draws is None or self._draws[0] != place:
            self._draws = place, key.generator(MODEL_STREAM)
        numbers: Tensor = sampler(key.size, *shape[1:], generator=self._draws[1])
        numbers = key.local_rows(numbers).to(self.device)
        return numbers.to(self.dtype) if numbers.is_floating_point() else numbers
