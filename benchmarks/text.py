"""The lecture's two text networks on IMDB: the real command against Keras on TensorFlow.

Ours is the real command with its defaults (progress, metrics, loggers, checkpoints). The peers are
the lecture's scripts (slides 26 and 31) in Keras 3 on the same word ids, in batches of as many:

    Keras TF, float32    keras.fit on TensorFlow, ids in memory
    Keras TF, bf16       the same under mixed_bfloat16, beside ours in bf16

All leave out their first steps and use the threads of torch: all cores, or OMP_NUM_THREADS. Keras 3
has no dropout of whole words, which the CNN's table had: its peer drops numbers of word vectors.

Two more lines say how long IMDB takes to be read and cut into words, and a later start to its first
batch. `--accuracy` instead trains both sides of each network as its recipe says, with three seeds.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import torch

from benchmarks.common import Row, compare, show
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.config.schema import locate
from zoo.utilities import hardware

CNN, LSTM = "imdb_text_cnn_2017", "imdb_text_lstm_2017"
BATCH = 32  # of both examples
SIZE = [f"data.batch_size={BATCH}", "data.limit=2500"]  # of each split: 70 batches to train on
PRECISIONS = {"float32": "32-true", "mixed_bfloat16": "bf16-mixed"}
SEEDS = (0, 1, 2)


def command(experiment: str, *overrides: str) -> dict[str, Any]:
    """The results of the real command."""
    asked = [f"experiment={experiment}", "baseline=null", "name=a", *overrides]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "zoo", "train", *asked], cwd=folder, capture_output=True,
            text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr)
        results = Path(folder, "runs", experiment, "a", "results.json")
        found: dict[str, Any] = json.loads(results.read_text())
    return found


def rate(experiment: str, policy: str) -> float:
    """Reviews per second of the real command."""
    precision = f"trainer.precision={PRECISIONS[policy]}"
    found = command(experiment, *SIZE, precision, "trainer.max_epochs=1")
    return float(found["samples_per_second"])


def alone(*arguments: str) -> float:
    """What a function of this file prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.text", *arguments], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def opened(config: dict[str, Any]) -> Any:
    """The data of a run."""
    data = schema.build(config["data"], "data")
    data.setup("fit")
    return data


def network(experiment: str, policy: str) -> Any:
    """The lecture's script up to `fit`."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras
    import tensorflow
    from keras import layers as of

    threads = torch.get_num_threads()
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    keras.config.set_dtype_policy(policy)
    layers = [of.Embedding(20_000, 128), of.LSTM(128, dropout=0.2, recurrent_dropout=0.2)]
    if experiment == CNN:
        layers = [
            of.Embedding(5000, 50), of.Dropout(0.2), of.Conv1D(250, 3, activation="relu"),
            of.GlobalMaxPooling1D(), of.Dense(250), of.Dropout(0.2), of.Activation("relu"),
        ]  # fmt: skip
    made = keras.Sequential([*layers, of.Dense(1, activation="sigmoid")])
    made.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return made


def keras_rate(experiment: str, policy: str) -> float:
    """Reviews per second of Keras, after a short epoch."""
    data = opened(compose([f"experiment={experiment}", *SIZE]))
    ids, labels = (part.numpy() for part in data.tensors("train"))
    made, few = network(experiment, policy), 10 * BATCH
    made.fit(ids[:few], labels[:few], batch_size=BATCH, verbose=0)
    start = perf_counter()
    made.fit(ids, labels, batch_size=BATCH, verbose=0)
    return len(ids) / (perf_counter() - start)


def keras_accuracy(experiment: str, seed: int) -> float:
    """Accuracy of Keras on the test split."""
    config = compose([f"experiment={experiment}"])
    data, made = opened(config), network(experiment, "float32")
    import keras

    keras.utils.set_random_seed(seed)
    train, test = ([part.numpy() for part in data.tensors(name)] for name in ("train", "test"))
    made.fit(*train, batch_size=BATCH, epochs=config["trainer"]["max_epochs"], verbose=0)
    return float(made.evaluate(*test, verbose=0)[1])


def reading() -> float:
    """Seconds that IMDB takes to be read and cut into words, and kept."""
    data = schema.build(compose([f"experiment={CNN}"])["data"], "data")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_CACHE"] = folder
        start = perf_counter()
        data.prepare_data()
        return perf_counter() - start


def starting() -> float:
    """Seconds to the first batch of what is in the cache, after the imports."""
    config = compose([f"experiment={CNN}"])
    locate(config["data"]["_target_"])
    start = perf_counter()
    next(iter(opened(config).train_dataloader()))
    return perf_counter() - start


def compared() -> dict[str, Row]:
    """Every row, one after another."""
    policies = {"float32": "float32", "bf16": "mixed_bfloat16"}
    if not hardware.native_bf16("cpu"):
        del policies["bf16"]
    return {
        f"{name}, {kind}": compare(
            f"Keras TF, {kind}",
            lambda of=of, policy=policy: rate(of, policy),
            lambda of=of, policy=policy: alone("--rate", of, policy),
        )
        for name, of in (("CNN", CNN), ("LSTM", LSTM))
        for kind, policy in policies.items()
    }


def accuracies() -> None:
    """Test accuracy of both sides, by seed."""
    for of in (CNN, LSTM):
        mine = [command(of, f"seed={seed}")["test/accuracy"] for seed in SEEDS]
        theirs = [alone("--accuracy", of, str(seed)) for seed in SEEDS]
        for side, found in (("zoo", mine), ("Keras TF", theirs)):
            print(f"{of:<20} {side:<9} {mean(found):.4f} ({min(found):.4f} to {max(found):.4f})")


def main() -> None:
    """The whole comparison; with arguments a part of it."""
    match sys.argv[1:]:
        case ["--accuracy"]:
            accuracies()
        case ["--accuracy", experiment, seed]:
            print(keras_accuracy(experiment, int(seed)))
        case ["--rate", experiment, policy]:
            print(keras_rate(experiment, policy))
        case ["--reading"]:
            print(reading())
        case ["--starting"]:
            print(starting())
        case _:
            print(f"IMDB read and cut into words: {alone('--reading'):.1f} s")
            alone("--starting")  # which fills the cache
            print(
                f"a later start, imports left out: {alone('--starting'):.1f} s to the first batch"
            )
            show(compared(), f"reviews/s, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
