"""What an earlier zoo wrote, in today's terms: the one place that lifts cards and configs.

Schema 2 has other keys, kinds of inputs instead of import paths, and classes that have moved.
Cards, a run's configs and results, and what its checkpoints say are read through `migrate`.
"""

from typing import Any

KINDS = {  # of inputs: a card names the kind, so that it holds no import path
    "image": "datamodules.inputs.image.ImageInput",
    "text": "datamodules.inputs.text.TextInput",
    "text_ngrams": "datamodules.inputs.ngrams.NgramInput",
    "clip": "datamodules.inputs.clip.ClipInput",
    "sound": "datamodules.inputs.sound.SoundInput",
    "words": "datamodules.inputs.words.ContextInput",
    "characters": "datamodules.inputs.characters.CharacterInput",
}
KEYS = {
    "facts": "info", "embedded": "bundled", "judge": "evaluator", "proof": "target",
    "mirror": "flip_tta",
}  # fmt: skip
CLASSES = {
    "datamodules.images.TurnedImages": "datamodules.turned_images.TurnedImages",
    "datamodules.reviews.Reviews": "datamodules.texts.Texts",
    "zoo.training.metrics.CSVLogger": "zoo.training.csv_logger.CSVLogger",
    "zoo.windows.StackedWindows": "zoo.baselines.windows.StackedWindows",
}
GAINED: dict[str, dict[str, Any]] = {  # arguments since added, with the value that changes nothing
    "datamodules.audio.Sounds": {"windows": "one"},
    "datamodules.clips.Clips": {"windows": "one"},
    "datamodules.texts.Texts": {
        "text_column": None, "label_column": None, "buckets": False, "class_weights": None,
    },
    "datamodules.words.Words": {"text_column": None},
    "zoo.cbow.CBOW": {"mode": "cbow", "add_outputs": False, "threads": 1},
    "zoo.image_cnn.ImageCNN": {"flip_tta": False},
    "zoo.text_cnn.TextCNN": {"embeddings": "random", "vectors": None},
    "zoo.text_lstm.TextLSTM": {"embeddings": "random", "vectors": None},
}  # fmt: skip
CALLBACKS = {"Speed": "Throughput"}  # those with a state in a checkpoint
INPUTS = {target: kind for kind, target in KINDS.items()}


def refuse_old(key: str) -> None:
    """Raise ValueError for a dotted key that is called otherwise now, naming the new one."""
    new = ".".join(KEYS.get(part, part) for part in key.split("."))
    if new != key:
        raise ValueError(f"{key} is called {new} now")


def migrate(value: Any) -> Any:
    """A card, a config or a part of one, with today's keys, kinds, classes and arguments.

    Today's are returned as they are. The names in `seen` are those of data sets, not keys of ours.
    """
    if isinstance(value, list):
        return [migrate(item) if isinstance(item, list | dict) else item for item in value]
    if not isinstance(value, dict):
        return value
    section = {
        KEYS.get(key, key): inner if key == "seen" else migrate(inner)
        for key, inner in value.items()
    }
    target = section.get("_target_")
    if not isinstance(target, str):
        return section
    if target in INPUTS:
        return {"kind": INPUTS[section.pop("_target_")], **section}
    target = CLASSES.get(target, target)
    return {**GAINED.get(target, {}), **section, "_target_": target}


def migrate_checkpoint(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint whose metadata, arguments and callbacks have today's names."""
    states = checkpoint.get("callbacks", {})
    callbacks = {CALLBACKS.get(name, name): state for name, state in states.items()}
    parts = {key: checkpoint[key] for key in ("zoo", "hyper_parameters") if key in checkpoint}
    return {**checkpoint, **migrate(parts), "callbacks": callbacks}
