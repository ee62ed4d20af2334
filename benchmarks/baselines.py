"""The baseline of a recipe against the strong one of own data, on folds of training samples.

    python -m benchmarks.baselines [DATA:SAMPLES ...]

Data are of the catalog, found in $ZOO_DATA. Of so many training samples two halves are each learned
from while the other is scored; no test split is read by either. A released network that has seen
the data is left out.
"""

import sys
from time import process_time
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

import zoo
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.metrics.choice import take

RECIPES = {  # data: the recipe whose baseline stood beside such data, and the kind that they are
    "mnist": ("image_cnn", "image_folder"),
    "fashion_mnist": ("image_cnn", "image_folder"),
    "cifar10": ("image_cnn", "image_folder"),
    "imdb": ("text_cnn", "labelled_text"),
    "rotten_tomatoes": ("text_cnn", "labelled_text"),
    "free_spoken_digit": ("sound_classifier", "audio_folder"),
    "drone_video": ("video_conv3d", "video_folder"),
}
SIZES = {"imdb": 1000, "drone_video": 200}  # others have 600 samples


def score(section: dict[str, Any], name: str, count: int) -> tuple[float, float, str]:
    """Mean accuracy of both halves, seconds of the processor to learn from one, and what it is."""
    data = zoo.create_data(name, train_samples=count)
    data.prepare_data()
    data.setup("fit")
    samples, labels = data.arrays("train")
    baseline, scores, seconds = schema.build(section, "baseline"), [], []
    for halves in StratifiedKFold(2, shuffle=True, random_state=0).split(labels, labels):
        train, test = ((take(samples, half), labels[half]) for half in halves)
        splits = {"train": train, "test": test}
        half = SimpleNamespace(arrays=splits.__getitem__, info=data.info, input=data.input)
        model, start = clone(baseline), process_time()
        model.fit(half)
        seconds.append(process_time() - start)
        scores.append(model.score(half)["test/accuracy"])
    return float(np.mean(scores)), float(np.mean(seconds)), model.title


def main() -> None:
    """A line of Markdown a data set and baseline."""
    print("| data | samples | baseline | accuracy | seconds |\n|---|---|---|---|---|", flush=True)
    for asked in sys.argv[1:] or RECIPES:
        name, _, size = asked.partition(":")
        count = int(size or SIZES.get(name, 600))
        recipe, kind = RECIPES[name]
        before = compose([f"experiment={recipe}"])["baseline"]
        strong = compose([f"data={kind}", "data.source=unused"])["baseline"]
        if str(strong["network"]).endswith(name):
            strong["network"] = None
        for section in (before, strong):
            accuracy, seconds, title = score(section, name, count)
            print(f"| {name} | {count} | {title} | {accuracy:.1%} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
