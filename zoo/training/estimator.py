"""A model of the zoo in scikit-learn's shape, for its pipelines, searches and scores.

Shapes: N samples, K classes.
"""

from contextlib import nullcontext
from functools import cache
from pathlib import Path
from signal import SIGINT
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np
from pytorch_lightning.utilities.seed import isolate_rng
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from datamodules.sources.files import PICTURES, SOUNDS, TEXTS, Kind
from datamodules.sources.rows import Source
from datamodules.utilities.console import silence
from zoo.catalog import registry
from zoo.catalog.compose import as_overrides, compose, compose_with_card
from zoo.config import schema
from zoo.distributed.environment import world_size
from zoo.nn.supervised import Classifier, Regressor
from zoo.training.build import build
from zoo.training.evaluate import quiet
from zoo.training.fit import fit, load_best
from zoo.training.run import Run
from zoo.training.samples import KINDS, as_samples, label, measure
from zoo.utilities import hardware
from zoo.utilities.errors import Stopped, code, no_such

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule
    from zoo.pretrained.store import Card

Config = dict[str, Any]

OWN = ("experiment", "verbose")  # parameters that are no keys of a run
KEYS = [
    "model", "data", "trainer", "seed", "init", "monitor", "mode", "ema", "early_stopping",
    "own_training",
]  # fmt: skip
MEASURED = "datamodules.turned_images.MeasuredImages"


class Estimator(BaseEstimator):
    """A classifier or regressor of pictures, texts, clips or sounds, learned as `zoo train` does.

    X is what the model's `predict` takes: a list, or an array whose first axis are the samples, of
    pictures, clips or waves, of paths of files, or of texts. They are read by the settings of
    `data=image_folder` (`labelled_text`, `video_folder`, `audio_folder`), of which a share
    (`data__validation`) is held out, its classes in proportion; the last weights are kept, or
    those that do best on it (`own_training__keep="best"`). Nothing is left on
    disk. Pictures are read as they are: none is inverted.

    After `fit`, `model_` is the model with its input, and `classes_` are the labels, sorted.
    `n_features_in_` there is none: a sample is no row of a table.

    Args:
        experiment: one of `zoo.list_experiments()`, or a model's name, that learns classes, or
            values of pictures (`image_regressor`).
        verbose: whether to print what `zoo train` prints.
        overrides: of its config, with two underscores for a dot: `model__dropout=0.2`,
            `trainer__max_epochs=3`, `data__batch_size=64`, `seed=1`, `init="image_cnn.mnist"`. The
            same seed and data give the same weights.
    """

    def __init__(
        self, experiment: str = "image_cnn", *, verbose: bool = False, **overrides: Any
    ) -> None:
        self.experiment, self.verbose = experiment, verbose
        self._overrides: dict[str, Any] = {}
        self.set_params(**overrides)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters that were given, by name; the others are the experiment's."""
        return {**{name: getattr(self, name) for name in OWN}, **self._overrides}

    def set_params(self, **params: Any) -> "Estimator":
        """Set any override of the config, whether it was given before or not.

        Raises:
            ValueError: no such section; other wrong names are found by `fit`.
        """
        for name, value in params.items():
            if name in OWN:
                setattr(self, name, value)
            elif name.split("__")[0] in KEYS:
                self._overrides = {**self._overrides, name: value}
            else:
                raise ValueError(no_such("parameter", name, (*OWN, *KEYS)))
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        classifies, kind = self._task()
        tags.estimator_type = "classifier" if classifies else "regressor"
        tags.classifier_tags = ClassifierTags() if classifies else None
        tags.regressor_tags = None if classifies else RegressorTags()
        tags.target_tags.required = True
        tags.input_tags.two_d_array = kind is SOUNDS
        tags.input_tags.three_d_array = kind in (PICTURES, SOUNDS)
        tags.input_tags.string = kind is TEXTS
        return tags

    def fit(self, X: Any, y: Any) -> "Estimator":
        """Learn from N samples and their labels, of any one type, or values (N,).

        Raises:
            ValueError: a wrong parameter; samples of another kind, or that cannot be read; missing
                labels; fewer than two classes, or than two samples of one.
        """
        (config, card), (classifies, kind) = self._compose(), self._task()
        samples = as_samples(X, kind)
        if y is None:
            raise ValueError("Estimator requires y to be passed, but the target y is None")
        y = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_consistent_length(samples, y)
        source, classes = label(samples, y) if classifies else (measure(samples, y), None)
        lines = nullcontext() if self.verbose else silence()
        with isolate_rng(), quiet(), lines, TemporaryDirectory(ignore_cleanup_errors=True) as place:
            model, skipped = learn(config, card, source, Path(place))
        if skipped:
            warn(f"{len(skipped)} sample(s) left out: {'; '.join(skipped)}", stacklevel=2)
        self.model_ = model
        if classifies:
            self.classes_ = classes
        return self

    @available_if(lambda self: self._task()[0])
    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (N, K), in the order of `classes_`."""
        rows = [list(answer["probabilities"].values()) for answer in self._answers(X)]
        shares = np.array(rows, np.float64)
        return shares / shares.sum(1, keepdims=True)  # which float32 does not quite

    def predict(self, X: Any) -> np.ndarray:
        """The label of each sample, as y has it, or its value, float64; (N,)."""
        if not self._task()[0]:
            return np.array([answer["value"] for answer in self._answers(X)], np.float64)
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_)[best]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy, or of values the share of their variance that is explained (R2)."""
        judge = accuracy_score if self._task()[0] else r2_score
        return float(judge(y, self.predict(X), sample_weight=sample_weight))

    def _answers(self, X: Any) -> list[dict[str, Any]]:
        """What the model answers for each sample."""
        check_is_fitted(self, "model_")
        answers: list[dict[str, Any]] = self.model_.predict(as_samples(X, self._task()[1]))
        return answers

    def _arguments(self) -> list[str]:
        """The parameters as Hydra's overrides."""
        name = str(self.experiment)
        group = "experiment" if name in registry.names("experiment") else "model"
        values = {
            key.replace("__", "."): value.item() if isinstance(value, np.generic) else value
            for key, value in self._overrides.items()
        }
        return [f"{group}={name}", *as_overrides(values)]

    def _task(self) -> tuple[bool, Kind]:
        """Whether classes are learned, or else values, and of what."""
        choices = ("experiment=", "model=", "init=")
        return task(tuple(one for one in self._arguments() if one.startswith(choices)))

    def _compose(self) -> "tuple[Config, Card | None]":
        """The config that is trained by, and the card of the weights that it starts from."""
        (classifies, kind), (first, *overrides) = self._task(), self._arguments()
        own = [f"data={KINDS[kind][0]}", "data.source=null"]
        config, card = compose_with_card([first, *own, *overrides])
        if source := config["data"]["source"]:
            raise ValueError(f"data__source is {source!r}: the samples are the X of fit")
        if (count := world_size(config)) > 1:
            raise ValueError(f"an Estimator learns on one device: {count} take zoo.train")
        if not classifies:
            config["data"]["_target_"] = MEASURED
            if not any(one.startswith("data.augment") for one in overrides):
                config["data"]["augment"] = {}  # a flip may change what is measured
        config["trainer"]["precision"] = hardware.precision(config)
        return {**config, "logger": {}}, card


@cache
def task(choices: tuple[str, ...]) -> tuple[bool, Kind]:
    """Whether what these overrides choose learns classes, or else values, and of what.

    Raises:
        ValueError: no such experiment or model, or one that learns neither.
    """
    config = compose(choices)
    model, data = (schema.locate(config[section]["_target_"]) for section in ("model", "data"))
    kind = getattr(data, "KIND", None)
    takes = (PICTURES,) if issubclass(model, Regressor) else tuple(KINDS)
    if not issubclass(model, Classifier | Regressor) or kind not in takes:
        raise ValueError(
            f"{config['choices']['model']} learns no labels: an Estimator takes a classifier, such "
            "as image_cnn, text_cnn, video_conv3d or sound_classifier, or image_regressor"
        )
    return issubclass(model, Classifier), kind


def learn(
    config: Config, card: "Card | None", source: Source, folder: Path
) -> "tuple[ZooModule, list[str]]":
    """Train on rows; the best model by validation, and what could not be read.

    Args:
        folder: takes arrays and checkpoints, none of which is needed afterwards.
    """
    run, data = Run(folder), schema.build(config["data"], "data")
    data.use_rows(source, folder / "arrays")
    _, model, _ = build(config, card, data)
    try:
        fit(config, run, model, data)
    except Stopped as error:  # which a search would take for a fit that failed
        raise (KeyboardInterrupt if error.number == SIGINT else SystemExit(code(error))) from None
    load_best(model, run)
    model.trainer = None
    if hasattr(model.input, "background"):
        model.input.background = None  # X is read as it was learned from
    return model.eval(), data.info["skipped"]
