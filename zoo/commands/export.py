"""Write a model as one file that runs without the zoo, and compare the file with the model.

    zoo export image_cnn                            image_cnn.onnx, for onnxruntime
    zoo export image_cnn --format torch             image_cnn.pt2, for torch.export.load
    zoo export runs/char_rnn/a -o writer.onnx       the weights of one run
    zoo export cbow --format word2vec               cbow.bin: its vectors, for gensim and others
    zoo export cbow --format word2vec -o cbow.txt   as text; .gz behind either packs it

The file takes what the model takes, a batch as its input makes it of raw data; its metadata name
the classes and that input. ONNX needs the extra `export`: pip install "lightning-zoo[export]".
Vectors of words are written as they are.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.pretrained.export import ExportReport

ENDINGS = {"onnx": ".onnx", "torch": ".pt2", "word2vec": ".bin"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="released weights, a run's folder or weights file"
    )
    parser.add_argument("--format", choices=[*ENDINGS], default="onnx", help="(%(default)s)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="(NAME and the format's ending)"
    )


def run(given: Namespace) -> None:
    from zoo import load
    from zoo.commands.main import output_file
    from zoo.pretrained.export import export
    from zoo.training.run import weights_of

    of_words = given.format == "word2vec"
    some = of_words and given.output  # which may end in several ways
    output = output_file(given.output, given.name, "" if some else ENDINGS[given.format])
    model: Any = load(weights_of(given.name))
    print("\n".join(words(model, output) if of_words else said(export(model, output))))


def words(model: Any, path: Path) -> list[str]:
    """Write the vectors of a model's words, and say so.

    Raises:
        ValueError: it has none, or another ending is wanted.
    """
    if not hasattr(model, "word_vectors"):
        kind = type(model).__name__
        raise ValueError(
            f"--format word2vec: {kind} has no word vectors; take a model such as cbow"
        )
    size = model.save_word2vec_format(path).stat().st_size / 1e6
    vocabulary, vectors = model.word_vectors()
    return [
        f"written   {path} ({size:.1f} MB)",
        f"words     {len(vocabulary):,}, each with {vectors.shape[1]} numbers",
    ]


def said(written: "ExportReport") -> list[str]:
    """What was written, what it takes, and how near it is to the model."""
    megabytes = written.path.stat().st_size / 1e6
    inputs = [f"{name:<9} {', '.join(map(str, e.axes))}" for name, e in written.inputs.items()]
    sizes: dict[str, list[int]] = {}
    for one in written.compared:
        for axis, size in one.items():
            sizes.setdefault(axis, []).append(size)
    tried = ", ".join(f"{axis} {min(found)} to {max(found)}" for axis, found in sizes.items())
    return [
        f"written   {written.path} ({megabytes:.1f} MB)",
        *(f"input     {line}" for line in inputs),
        f"compared  at {len(written.compared)} sizes ({tried}): "
        f"differs by at most {written.difference:.1g}",
    ]
