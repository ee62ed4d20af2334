"""`zoo train data=labelled_text` beside the strong baseline, on texts that were held out.

    ZOO_DATA=data python -m benchmarks.own_texts rotten_tomatoes:300 articles:1000 --seeds 0 1 2
    python -m benchmarks.own_texts --table

Texts are drawn from training splits alone; no test split is read:

    rotten_tomatoes, imdb    reviews
    articles                 sentences of Wikipedia, by the article: a class for 25 texts
    docstrings               of installed packages, by the package

A cell is a run with its defaults on a table whose test rows are the texts held out; both learn
from nine tenths of the others, and the rest is the run's validation. `text_cnn.imdb` learned from
these texts of IMDB, so there both do without it. Each cell is a line of runs/own_texts.jsonl.
"""

import ast
import csv
import json
import re
import sysconfig
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

import zoo

HELD_OUT, PER_ARTICLE, PER_PACKAGE = 800, 25, 300
CELLS = Path("runs") / "own_texts.jsonl"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
PACKAGES = (
    "numpy", "scipy", "sklearn", "torch", "pandas", "matplotlib", "pytorch_lightning", "datasets",
    "torchmetrics", "sympy", "networkx", "huggingface_hub", "pydantic", "fsspec", "PIL", "joblib",
)  # fmt: skip
WORDS_ALONE = {f"own_vectors.sources.{name}": ["cbow.wikipedia_2015"] for name in
               ("text_cnn", "text_lstm")}  # fmt: skip
Pairs = list[tuple[str, str]]  # texts and their classes


def reviews(name: str) -> Pairs:
    """The training reviews of a data set of the catalog."""
    data = zoo.create_data(name)
    with TemporaryDirectory() as scratch:
        rows = data.read_source(data.locate(), Path(scratch)).splits["train"]
    return [(str(raw), f"c{label}") for raw, label in zip(rows.raws, rows.labels, strict=True)]


def articles(count: int) -> Pairs:
    """Sentences of long articles, for so many texts."""
    file = min(Path(zoo.create_data("wikipedia_2015").locate()).rglob("train-*.parquet"))
    texts = sorted(parquet.read_table(file)["text"].to_pylist(), key=len, reverse=True)
    return [
        (sentence, f"article{i}")
        for i, text in enumerate(texts[: max(20, count // PER_ARTICLE)])
        for sentence in SENTENCE_END.split(text)
        if 40 <= len(sentence) <= 400
    ]


def docstrings_of(folder: Path) -> Iterator[str]:
    """The docstrings of a package's functions and classes, on one line each."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node) or ""
                if len(text) >= 40:
                    yield " ".join(text.split())[:1500]


@cache
def docstrings() -> Pairs:
    """As many docstrings of each package, of its first files."""
    folder = Path(sysconfig.get_paths()["purelib"])
    return [
        (text, name)
        for name in PACKAGES
        for text in islice(docstrings_of(folder / name), PER_PACKAGE)
    ]


def write_table(name: str, count: int, seed: int, folder: Path) -> None:
    """So many texts, of which some are validation, and others as the test split."""
    pairs = {"articles": lambda: articles(count), "docstrings": docstrings}.get(
        name, lambda: reviews(name)
    )()
    order = np.random.default_rng(seed).permutation(len(pairs))[: count + HELD_OUT]
    for split, part in (("train", order[:count]), ("test", order[count:])):
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *(pairs[i] for i in part)])


def measure(name: str, count: int, seed: int, model: str, overrides: dict[str, Any]) -> None:
    """Run a cell and write its line."""
    own = {"baseline.network": None, **WORDS_ALONE} if name == "imdb" else {}
    with TemporaryDirectory() as scratch:
        write_table(name, count, seed, Path(scratch))
        options = {"data": "labelled_text", "data.source": scratch, "seed": seed, **own}
        start = process_time()
        run = zoo.train(model, **options, name=Path(scratch).name, **overrides)
    results = run.results
    cell = {"data": name, "samples": count, "seed": seed, "model": model, "overrides": overrides,
            "network": results["test/accuracy"], "baseline": results["baseline/test/accuracy"],
            "title": results["baseline"], "seconds": process_time() - start}  # fmt: skip
    print(json.dumps(cell), flush=True)
    with CELLS.open("a") as file:
        file.write(json.dumps(cell) + "\n")


def table() -> None:
    """What was measured: the mean over seeds of each row, and of all rows."""
    cells, rows = [json.loads(line) for line in CELLS.read_text().splitlines()], {}
    for cell in cells:
        key = cell["data"], cell["samples"], cell["model"], json.dumps(cell["overrides"])
        rows.setdefault(key, []).append(cell)
    print("| texts | for training | model | seeds | strong baseline | `zoo train` | difference |")
    print("|---|---|---|---|---|---|---|")
    for (name, count, model, _), group in rows.items():
        ours, theirs = (100 * mean(c[key] for c in group) for key in ("network", "baseline"))
        print(f"| {name} | {count:,} | {model} | {len(group)} | {theirs:.1f} % | {ours:.1f} % "
              f"| {ours - theirs:+.1f} |")  # fmt: skip


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("parts", nargs="*", help="data:samples")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--model", default="text_cnn")
    parser.add_argument("--set", nargs="*", default=[], help="overrides of the run")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    for part in asked.parts:
        name, count = part.split(":")
        overrides = dict(one.split("=", 1) for one in asked.set)
        for seed in asked.seeds:
            measure(name, int(count), seed, asked.model, overrides)
    if asked.table:
        table()


if __name__ == "__main__":
    main()
