"""A predictor or a model, from wherever it lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.automl import cards
from zoo.pretrained import store

if TYPE_CHECKING:
    from zoo.automl.predictor import Predictor

PREDICTOR, ASKED = "predictor", "auto.yaml"  # of an auto run's folder


def load(source: str | Path, **overrides: Any) -> Any:
    """A predictor, a pipeline as a predictor of one, or a model with its weights and input.

    Args:
        source: a released name (`zoo.list_models(pretrained=True)`), a model's name, which stands
            for its default weights, a run's folder or a weights file; the folder of a run of
            `zoo auto`, of its predictor, or of a pipeline.
        overrides: constructor arguments of a model, other than the card's. With another
            `num_classes` the last layer starts anew, which is printed; its classes have no names
            then.

    Raises:
        FileNotFoundError: there are no weights or no card; a predictor lacks a file.
        ValueError: no such name; a checkpoint or another format; altered or damaged weights;
            tensors that are missing, left over, of another shape or not finite; a predictor with an
            altered file, of a newer schema, with weights that are none, or with a pipeline that
            holds types that are not trusted; an auto run that is not finished.
    """
    folder = predictor_folder(source)
    if folder is None:
        from zoo.pretrained.load import load as load_model

        return load_model(source, **overrides)
    if overrides:
        raise ValueError(f"{folder} is a predictor: it takes no {', '.join(overrides)}")
    return open_pipeline(folder) if cards.kind_of(folder) == "pipeline" else open_predictor(folder)


def find(name: str) -> Path:
    """What a command means: a predictor's folder, or weights as `find_weights` has them."""
    from zoo.training.run import find_weights

    return predictor_folder(name) or find_weights(name)


def open_predictor(folder: Path) -> "Predictor":
    """The predictor in a folder; raises as `load`."""
    from zoo.automl.folders import open_member
    from zoo.automl.predictor import Predictor

    card = cards.read(folder, "predictor")
    names = [str(one["name"]) for one in card["members"]]
    return Predictor([open_member(folder, name) for name in names], card)


def open_pipeline(folder: Path) -> "Predictor":
    """The pipeline in a folder, as a predictor of one."""
    from zoo.automl.pipelines import load_pipeline
    from zoo.automl.predictor import Part, Predictor, describe

    member = load_pipeline(folder)
    return Predictor([member], describe([member], [Part(member.name, folder, 1.0, 1.0)]))


def predictor_folder(source: str | Path) -> Path | None:
    """The folder of the predictor or pipeline that is meant; None: what is meant is a model.

    A name of released weights or of their model means these, whatever lies in the working folder.

    Raises:
        ValueError: a run of `zoo auto` that has no predictor yet.
    """
    folder = Path(source)
    if not folder.is_dir():
        return None
    if (folder / ASKED).is_file() or cards.kind_of(folder / PREDICTOR):
        folder = folder / PREDICTOR
    elif cards.kind_of(folder) is None:
        return None
    if not store.is_path(source):
        weights = store.released()
        if source in weights or source in store.defaults(weights):
            return None
    if cards.kind_of(folder) is None:
        raise ValueError(f"{source} has no predictor yet: the same `zoo auto` command goes on")
    return folder
