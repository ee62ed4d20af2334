"""Fitted pipelines of scikit-learn as files: skops, no pickle, and a fixed list of types.

skops builds the objects that a file describes, of types that it is told to trust. Those are here
and nowhere else: a file that has another one is refused before anything of it is built.
"""

import io
import json
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning
from skops import io as skops

from zoo.automl import cards
from zoo.automl.members import PipelineMember
from zoo.baselines.networks import NetworkFeatures
from zoo.metrics.novelty import NoveltyDetector
from zoo.pretrained import store

NOVELTY = "novelty.safetensors"
FAST = 1  # level of compression: 6 takes five times as long for 12 % less
OURS = (  # of zoo.baselines
    "bands.LogBands", "frames.Motion", "frames.OfFrames", "gradients.GradientHistograms",
    "networks.NetworkFeatures", "pictures.ColourHistograms", "pictures.Thumbnails",
    "strong.BlockScaler", "text.Counts", "text.LogCountRatio", "text.Tfidf", "text.split",
)  # fmt: skip
SKLEARN = (
    "dummy.DummyClassifier", "ensemble._forest.ExtraTreesClassifier",
    "feature_extraction.text.TfidfTransformer", "kernel_approximation.Nystroem",
    "linear_model._logistic.LogisticRegression", "multiclass.OneVsRestClassifier",
    "multiclass._ConstantPredictor", "pipeline.FeatureUnion", "pipeline.Pipeline",
    "preprocessing._data.StandardScaler", "preprocessing._label.LabelBinarizer",
    "svm._classes.LinearSVC", "svm._classes.SVC", "tree._classes.ExtraTreeClassifier",
    "tree._tree.Tree",
)  # fmt: skip
PLAIN = (
    "builtins.bool", "builtins.dict", "builtins.float", "builtins.int", "builtins.list",
    "builtins.str", "builtins.tuple", "numpy.float32", "numpy.float64", "numpy.int32",
    "numpy.int64", "numpy.ndarray",
)  # fmt: skip
TRUSTED = frozenset((
    *PLAIN, *(f"sklearn.{name}" for name in SKLEARN), *(f"zoo.baselines.{name}" for name in OURS),
))  # fmt: skip


def save_pipeline(
    classifier: Any, card: Mapping[str, Any], folder: Path, novelty: NoveltyDetector | None = None
) -> Path:
    """Write a fitted pipeline and its card.

    Args:
        classifier: a fitted `zoo.metrics.choice.BestPipeline`, or what has its `best_`, which
            learned labels 0 to K - 1, its `classes_`, which these are, `temperature_` and `name_`.
        card: of the data: at least `info` with the names of `classes` and the `input`.
        folder: which holds nothing else.
        novelty: what tells samples that are unlike the training data; see `zoo.automl.novelty`.

    Raises:
        ValueError: the pipeline has an object of a type that is not in `TRUSTED`.
    """
    data = skops.dumps(classifier.best_, compression=zipfile.ZIP_DEFLATED, compresslevel=FAST)
    path = folder / cards.PIPELINE
    refuse_others(data, path)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if novelty is not None:
        from safetensors.torch import save_file

        tensors = {name: tensor.contiguous() for name, tensor in novelty.tensors().items()}
        save_file(tensors, folder / NOVELTY)
    own = {
        "title": classifier.name_,
        "labels": [int(label) for label in classifier.classes_],
        "temperature": float(classifier.temperature_),
        "networks": {name: sha256_of(name) for name in networks_in(classifier.best_)},
        "versions": {"scikit-learn": sklearn.__version__},
    }
    cards.seal(folder, {"kind": "pipeline", **card, **own})
    return folder


def load_pipeline(folder: Path, name: str | None = None) -> PipelineMember:
    """A pipeline as a member of a predictor.

    Another version of scikit-learn than the one that wrote it is said on standard error.

    Args:
        name: what it is called; the folder's when None.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is altered, of another schema, holds a type that is not trusted, or is
            none that this scikit-learn reads; the features are of a network that is another here.
    """
    card, path = cards.read(folder, "pipeline"), folder / cards.PIPELINE
    data = path.read_bytes()
    refuse_others(data, path)
    check_networks(card["networks"], path)
    versions = warn_of_version(path, card["versions"]["scikit-learn"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)  # of each object
            pipeline = skops.loads(data, trusted=sorted(TRUSTED))
    except Exception as error:
        raise ValueError(f"{path} cannot be read{versions}: {error}") from error
    novelty = None
    if (folder / NOVELTY).is_file():
        tensors = store.read_tensors(folder / NOVELTY, card["files"][NOVELTY])
        novelty = NoveltyDetector(**tensors)
    return PipelineMember(name or folder.name, pipeline, card, novelty)


def warn_of_version(path: Path, writer: str) -> str:
    """Say it where another major or minor version of scikit-learn wrote a pipeline."""
    here = sklearn.__version__
    if writer.split(".")[:2] == here.split(".")[:2]:
        return ""
    versions = f"by scikit-learn {here}: {writer} wrote it"
    print(f"warning   {path} is read {versions}, its answers may differ", file=sys.stderr)
    return f" {versions}"


def refuse_others(data: bytes, path: Path) -> None:
    """Refuse a file in which there is a type that is not trusted.

    Raises:
        ValueError: naming the types; or it is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            schema = json.loads(file.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no skops file, or damaged: {error}") from error
    if others := sorted({*types_in(schema)} - TRUSTED):
        raise ValueError(f"{path} holds what is not trusted: {', '.join(others[:5])}")


def types_in(node: Any) -> Iterator[str]:
    """The types and functions that a part of a skops file names."""
    if isinstance(node, dict) and "__class__" in node:
        yield f"{node.get('__module__')}.{node['__class__']}"
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from types_in(child)


def check_networks(networks: Mapping[str, str], path: Path) -> None:
    """Refuse a pipeline on the features of a network whose weights are not those of then.

    Args:
        networks: the sha256 of the weights, by their name.
    """
    for name, sha256 in networks.items():
        try:
            here = sha256_of(name)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"{path} needs the features of {name}: {error}") from error
        if here != sha256:
            raise ValueError(
                f"{path} needs the features of {name}: its weights are others here (sha256 "
                "differs); take the zoo that wrote it, or learn it again"
            )


def networks_in(pipeline: Any) -> list[str]:
    """The released networks whose features a pipeline takes."""
    parts = pipeline.get_params().values()
    return sorted({part.weights for part in parts if isinstance(part, NetworkFeatures)})


def sha256_of(network: str) -> str:
    """Of released weights, as their card has it."""
    return str(store.read(store.find(network))["sha256"])
