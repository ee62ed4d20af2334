"""Training on 32 x 32 x 3 pictures, batch 128: the real command against Keras and a bare loop.

Ours is the real command with its defaults (augmentation, progress, metrics, loggers, checkpoints)
on random pictures. The peers run the lecture's network, too:

    Keras TF, float32    keras.fit on TensorFlow, pictures in memory, no augmentation
    Keras TF, bf16       the same under mixed_bfloat16
    bare loop            our step (gather, augment, normalise, forward, backward, update) in a loop

All leave out their first steps and use all cores. `precision=auto` is what a recipe that is proven
in bf16 runs at on this machine; the rows that name float32 compare like with like. Two rows are of
other things: `image_cnn` with and without augmentation, and the share of the rate at which one
large convolution runs (forward; the network's own arithmetic, three times its forward pass).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import zoo
from benchmarks.common import Row, compare, show
from zoo.nn import optim
from zoo.training.callbacks import WARM_UP

STEPS, BATCH = 45, 128
MULTIPLIED = 20_700_000  # multiplications of a forward pass for a picture, by hand from slide 19


def write_pictures(folder: Path) -> None:
    """Random pictures in class folders: `STEPS` batches to train on, and a small test split."""
    random = np.random.default_rng(0)
    for split, count in (("train", round(STEPS * BATCH / 0.9)), ("test", 200)):
        pixels = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        for number, picture in enumerate(pixels):
            place = folder / split / str(number % 10) / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place)


def command(folder: Path, model: str, *overrides: str) -> float:
    """Samples per second of the real command, as its results say."""
    name = f"bench-{perf_counter()}"
    asked = [f"model={model}", "data=cifar10", f"data.batch_size={BATCH}", "baseline=null"]
    asked += [f"data.source={folder}", "trainer.max_epochs=1", f"name={name}", *overrides]
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "train", *asked], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    results = folder / "runs" / f"cifar10_{model}" / name / "results.json"
    return float(json.loads(results.read_text())["samples_per_second"])


def alone(*arguments: str) -> float:
    """What a function of this file prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.image", *arguments], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def bare(folder: str) -> float:
    """Samples per second of the same step in a bare loop."""
    data = zoo.create_data("cifar10", source=folder, batch_size=BATCH)
    data.setup("fit")
    model = zoo.create_model("image_cnn_2017", channels=3, image_size=32)
    model = model.to(memory_format=torch.channels_last)
    optimizer = optim.make_optimizer(model, model.hparams["optimizer"])
    start, done = 0.0, 0
    for batch in data.batches("train", shuffle=True):
        if done == WARM_UP:
            start = perf_counter()
        images, labels = data.batch(batch.tensors, batch.key)
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        done += 1
    return (done - WARM_UP) * BATCH / (perf_counter() - start)


def keras(policy: str) -> float:
    """Samples per second of the lecture's script in Keras on TensorFlow, after a short epoch."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras
    from keras import layers as of

    keras.config.set_dtype_policy(policy)
    network = keras.Sequential([
        keras.Input((32, 32, 3)),
        of.Conv2D(32, 3, padding="same", activation="relu"), of.Conv2D(32, 3, activation="relu"),
        of.MaxPooling2D(2), of.Dropout(0.25),
        of.Conv2D(64, 3, padding="same", activation="relu"), of.Conv2D(64, 3, activation="relu"),
        of.MaxPooling2D(2), of.Dropout(0.25),
        of.Flatten(), of.Dense(512, activation="relu"), of.Dropout(0.5),
        of.Dense(10, activation="softmax"),
    ])  # fmt: skip
    network.compile(
        keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        "sparse_categorical_crossentropy", metrics=["accuracy"],
    )  # fmt: skip
    random = np.random.default_rng(0)
    pictures = random.random((STEPS * BATCH, 32, 32, 3), dtype=np.float32)
    labels = random.integers(0, 10, STEPS * BATCH)
    network.fit(pictures[: 10 * BATCH], labels[: 10 * BATCH], batch_size=BATCH, verbose=0)
    start = perf_counter()
    network.fit(pictures, labels, batch_size=BATCH, verbose=0)
    return STEPS * BATCH / (perf_counter() - start)


def peak() -> float:
    """Pictures per second if all arithmetic ran like one large float32 convolution."""
    layer = torch.nn.Conv2d(128, 128, 3, padding=1).to(memory_format=torch.channels_last)
    images = torch.randn(64, 128, 32, 32).to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer(images)
        start = perf_counter()
        for _ in range(5):
            layer(images)
    rate = 5 * 64 * 32 * 32 * 128 * 128 * 9 / (perf_counter() - start)
    return rate / (3 * MULTIPLIED)


def compared(folder: Path) -> dict[str, Row]:
    """Every row, one after another."""

    def lecture(precision: str) -> float:
        return command(folder, "image_cnn_2017", "bf16=true", f"trainer.precision={precision}")

    def modern(*overrides: str) -> float:
        return command(folder, "image_cnn", *overrides)

    plain, half = "32-true", "mixed_bfloat16"
    return {
        "auto": compare("Keras TF, float32", lambda: lecture("auto"), lambda: alone("float32")),
        "auto, bf16": compare("Keras TF, bf16", lambda: lecture("auto"), lambda: alone(half)),
        "float32": compare("Keras TF, float32", lambda: lecture(plain), lambda: alone("float32")),
        "float32, bare": compare(
            "bare loop", lambda: lecture(plain), lambda: alone("bare", str(folder))
        ),
        "float32, peak": compare("one convolution", lambda: lecture(plain), lambda: alone("peak")),
        "image_cnn, augmented": compare(
            "not augmented", modern, lambda: modern("~data.augment", "+data.augment={}")
        ),
    }


def main() -> None:
    """The whole comparison; with arguments one side of it."""
    match sys.argv[1:]:
        case ["bare", folder]:
            print(bare(folder))
        case ["peak"]:
            print(peak())
        case [policy]:
            print(keras(policy))
        case _:
            with tempfile.TemporaryDirectory() as name:
                os.environ["ZOO_CACHE"] = f"{name}/cache"
                write_pictures(Path(name))
                rows = compared(Path(name))
            show(rows, "images/s, all threads")


if __name__ == "__main__":
    main()
