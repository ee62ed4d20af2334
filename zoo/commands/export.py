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

from zoo.utilities.protocols import require_zoo_module

if TYPE_CHECKING:
    from zoo.pretrained.export import ExportReport

ENDINGS = {"onnx": ".onnx", "torch": ".pt2", "word2vec": ".bin"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="released weights, a run's folder or weights file"
    )
    parser.add_argument("--format", choices=[*ENDINGS], default="onnx", help="(%(default)s)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="(NAME and the format's ending)"
    )


def run(args: Namespace) -> None:
    from zoo.automl.load import find, load
    from zoo.commands.main import output_file
    from zoo.pretrained.export import export

    of_words = args.format == "word2vec"
    is_free = of_words and args.output  # which may end in several ways
    output = output_file(args.output, args.name, "" if is_free else ENDINGS[args.format])
    model: Any = load(find(args.name))
    if hasattr(model, "members"):
        raise ValueError(refusal(args.name, model))
    require_zoo_module(model, "export")
    lines = save_vectors(model, output) if of_words else describe_export(export(model, output))
    print("\n".join(lines))


def refusal(name: str, predictor: Any) -> str:
    """What to do where a predictor is to be exported."""
    line = f"{name} is a predictor, no network: its members are {predictor.names()}"
    if predictor.network is not None:
        return f"{line}; export the folder of one that is"
    data, choice = predictor.card.get("data", {}), predictor.card["choices"]["data"]
    source = f" data.source={data['source']}" if data.get("source") else ""
    return f"{line}; train a network, `zoo train data={choice}{source}`, and export its run"


def save_vectors(model: Any, path: Path) -> list[str]:
    """Write the vectors of a model's words, and say so.

    Raises:
        ValueError: it has none, or another ending is wanted.
    """
    if not hasattr(model, "word_vectors"):
        kind = type(model).__name__
        raise ValueError(
            f"--format word2vec: {kind} has no word vectors; take a model such as cbow"
        )
    megabytes = model.save_word2vec_format(path).stat().st_size / 1e6
    vocabulary, vectors = model.word_vectors()
    return [
        f"written   {path} ({megabytes:.1f} MB)",
        f"words     {len(vocabulary):,}, each with {vectors.shape[1]} numbers",
    ]


def describe_export(report: "ExportReport") -> list[str]:
    """What was written, what it takes, and how near it is to the model."""
    megabytes = report.path.stat().st_size / 1e6
    inputs = [f"{name:<9} {', '.join(map(str, e.axes))}" for name, e in report.inputs.items()]
    axis_sizes: dict[str, list[int]] = {}
    for shapes in report.compared:
        for axis, size in shapes.items():
            axis_sizes.setdefault(axis, []).append(size)
    ranges = ", ".join(f"{axis} {min(sizes)} to {max(sizes)}" for axis, sizes in axis_sizes.items())
    return [
        f"written   {report.path} ({megabytes:.1f} MB)",
        *(f"input     {line}" for line in inputs),
        f"compared  at {len(report.compared)} sizes ({ranges}): "
        f"differs by at most {report.difference:.1g}",
    ]
