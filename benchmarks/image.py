"""The lecture network's training step, 32 x 32 x 3, batch 128: the command against a bare loop.

Ours is the real command with its defaults (progress, metrics, loggers, checkpoints) on random
pictures; the bare loop does the same step (gather, scale, augment,
normalise, forward, backward, update) with nothing around it. Both leave out their first steps.
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
from benchmarks.common import compare, show
from zoo import optim
from zoo.training.callbacks import WARM_UP

STEPS, BATCH = 45, 128
PAIR = ["model=image_cnn_2017", "data=cifar10", f"data.batch_size={BATCH}", "baseline=null"]


def write_pictures(folder: Path) -> None:
    """Random pictures in class folders: `STEPS` batches to train on, and a small test split."""
    random = np.random.default_rng(0)
    for split, count in (("train", round(STEPS * BATCH / 0.9)), ("test", 200)):
        pixels = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        for number, picture in enumerate(pixels):
            place = folder / split / str(number % 10) / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place)


def command(folder: Path) -> float:
    """Samples per second of the real command, as its results say."""
    name = f"bench-{perf_counter()}"
    overrides = [*PAIR, f"data.source={folder}", "trainer.max_epochs=1", f"name={name}"]
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "train", *overrides],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    results = folder / "runs" / "cifar10_image_cnn_2017" / name / "results.json"
    return float(json.loads(results.read_text())["samples_per_second"])


def bare(folder: Path) -> float:
    """Samples per second of the same step in a bare loop, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.image", str(folder)], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(done.stdout)


def loop(folder: str) -> float:
    """The bare loop."""
    data = zoo.create_data("cifar10", source=folder, batch_size=BATCH)
    data.setup("fit")
    model = zoo.create_model("image_cnn_2017", channels=3, image_size=32)
    model = model.to(memory_format=torch.channels_last)
    optimizer = optim.make_optimizer(model, model.hparams["optimizer"])
    start, done = 0.0, 0
    for batch in data.train_dataloader():
        if done == WARM_UP:
            start = perf_counter()
        images = data.input.scale(batch.tensors[0])
        images = data.input.normalise(data.augment(images, batch.key))
        optimizer.zero_grad()
        F.cross_entropy(model(images), batch.tensors[1]).backward()
        optimizer.step()
        done += 1
    return (done - WARM_UP) * BATCH / (perf_counter() - start)


def main() -> None:
    """The whole comparison; with a folder as argument, one round of the bare loop."""
    if sys.argv[1:]:
        print(loop(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        os.environ["ZOO_CACHE"] = f"{name}/cache"
        write_pictures(Path(name))
        row = compare("bare loop", lambda: command(Path(name)), lambda: bare(Path(name)))
    show({"image_cnn_2017 step": row}, "images/s, all threads")


if __name__ == "__main__":
    main()
