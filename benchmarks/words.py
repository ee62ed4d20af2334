"""Word vectors beside gensim, on the words of Wikipedia that both know.

Ours is the real command with its defaults (progress, loggers, checkpoints): 100 dimensions, windows
of 5 words, 5 negatives, frequent words thinned out at 1e-3. The peer is gensim's Word2Vec with the
same settings in its fastest mode, a file of one document a line (`corpus_file`), by two threads:

    kernel, 1 thread      the default on a CPU that has a compiler; repeats itself bit for bit
    kernel, 2 threads     model.threads=2, which do not wait for each other
    PyTorch, 1 process    where no compiler is found

Rates are words a second, of an epoch over `WORDS` words. `--quality` instead trains five epochs of
all of them with three seeds: questions answered (the 30,000 commonest words) and the rank
correlation with WordSim-353, of the vectors of contexts, which are gensim's, and of their sums with
those of the words in the middle (model.add_outputs); in two processes, too. Behind it may stand
some of the sides.
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

import numpy as np

from benchmarks.common import Row, compare, show
from datamodules.inputs.text import FIRST, PADDING
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.words import evaluation
from zoo.words.keyed_vectors import Neighbours

EXPERIMENT = "wikipedia_2015_cbow"
WORDS = 6_000_000
SETTINGS = ("model.dimensions=100", "model.negatives=5", "data.window=5", "model.optimizer.lr=0.1")
EPOCHS, SEEDS = 5, (0, 1, 2)
SIDES = {
    "kernel, 1 thread": (["model.threads=1"], {}),
    "kernel, 2 threads": (["model.threads=2"], {}),
    "PyTorch, 1 process": ([], {"PATH": str(Path(sys.executable).parent), "CXX": ""}),
    "two processes": (["trainer=ddp"], {"OMP_NUM_THREADS": "1"}),
}


def command(side: str, *overrides: str) -> tuple[dict[str, Any], Any]:
    """What the real command leaves: its results, and its model."""
    import zoo

    words, environment = SIDES[side]
    asked = [f"experiment={EXPERIMENT}", "baseline=null", "name=a", *SETTINGS, *words, *overrides]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "zoo", "train", *asked], cwd=folder, capture_output=True,
            text=True, env={**os.environ, **environment},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr)
        run = Path(folder, "runs", EXPERIMENT, "a")
        results: dict[str, Any] = json.loads((run / "results.json").read_text())
        return results, zoo.load(run)


def rate(side: str) -> float:
    """Words per second of the real command."""
    few = [f"data.train_samples={WORDS}", "trainer.max_epochs=1", "data.limit=null"]
    return float(command(side, *few)[0]["samples_per_second"])


def documents(words: int | None) -> list[list[str]]:
    """What the real command trains on: the known words of each document."""
    config = compose([f"experiment={EXPERIMENT}", *SETTINGS])
    data = schema.build({**config["data"], "train_samples": words}, "data")
    data.setup("fit")
    ids, names = data.arrays("train"), np.array([""] * FIRST + data.input.vocabulary)
    gaps = np.flatnonzero(np.diff((ids != PADDING).astype(np.int8)))
    parts = np.split(ids, gaps + 1)
    return [names[part].tolist() for part in parts if part[0] != PADDING]


def corpus(folder: str, words: int | None) -> tuple[str, int, int]:
    """These as a file of gensim's, how many documents they are, and how many words."""
    file, found = Path(folder, "corpus.txt"), documents(words)
    file.write_text("\n".join(map(" ".join, found)), encoding="utf-8")
    return str(file), len(found), sum(map(len, found))


def gensim(words: int | None, epochs: int, seed: int) -> tuple[float, Any]:
    """Words per second of gensim by two threads, and its model."""
    from gensim.models import Word2Vec

    with tempfile.TemporaryDirectory() as folder:
        file, lines, count = corpus(folder, words)
        model = Word2Vec(
            vector_size=100, window=5, negative=5, sample=1e-3, min_count=1, sg=0, workers=2,
            seed=seed,
        )  # fmt: skip
        model.build_vocab(corpus_file=file)
        start = perf_counter()
        model.train(corpus_file=file, total_examples=lines, total_words=count, epochs=epochs)
        return count * epochs / (perf_counter() - start), model


def alone(*arguments: str) -> float:
    """What a part of this file prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.words", *arguments], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def judged(names: list[str], table: np.ndarray) -> tuple[float, float]:
    """Questions answered, of all, and the correlation with WordSim-353: gensim's, but sooner."""
    found = evaluation.scores(Neighbours(names, table), [1] * len(names), "test")
    return float(found["test/analogy"].mean()), float(found["test/wordsim353"].mean())


def trained(side: str, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Words, their vectors in contexts and those in the middle."""
    if side == "gensim":
        learned = gensim(None, EPOCHS, seed)[1]
        return learned.wv.index_to_key, learned.wv.vectors, learned.syn1neg
    model = command(side, f"trainer.max_epochs={EPOCHS}", f"seed={seed}")[1]
    vectors, outputs = model.tables()
    return model.input.vocabulary, vectors.numpy(), outputs.numpy()


def added(own: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """The sums of both at length one."""
    return sum(table / np.linalg.norm(table, axis=1, keepdims=True) for table in (own, outputs))


def quality(sides: list[str]) -> None:
    """How good the vectors of both are after as many epochs, by seed."""
    for side in sides:
        found = []
        for seed in SEEDS:
            names, own, outputs = trained(side, seed)
            found.append([*judged(names, own), *judged(names, added(own, outputs))])
        told = [f"{mean(x):.3f} ({min(x):.3f} to {max(x):.3f})" for x in zip(*found, strict=True)]
        print(f"{side:<20} analogies {told[0]}, WordSim-353 {told[1]}", flush=True)
        print(f"{'  sums of both':<20} analogies {told[2]}, WordSim-353 {told[3]}", flush=True)


def main() -> None:
    """The whole comparison; with arguments a part of it."""
    ours = list(SIDES)[:3]
    match sys.argv[1:]:
        case ["--gensim"]:
            print(gensim(WORDS, 1, 1)[0])
        case ["--quality", *sides]:
            quality(sides or [*SIDES, "gensim"])
        case _:
            rows: dict[str, Row] = {
                side: compare(
                    "gensim, 2 threads", lambda side=side: rate(side), lambda: alone("--gensim")
                )
                for side in ours
            }
            show(rows, f"words/s, {WORDS:,} words")


if __name__ == "__main__":
    main()
