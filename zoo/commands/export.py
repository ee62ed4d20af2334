"""Write a model as one file that runs without the zoo, and compare the file with the model.

    zoo export image_cnn                            image_cnn.onnx, for onnxruntime
    zoo export image_cnn --format torch             image_cnn.pt2, for torch.export.load
    zoo export runs/char_rnn/a -o writer.onnx       the weights of one run

The file takes what the model takes, a batch as its input makes it of raw data; its metadata name
the classes and that input. ONNX needs the extra `export`: pip install "lightning-zoo[export]".
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.export import Written

ENDINGS = {"onnx": ".onnx", "torch": ".pt2"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="released weights, a run's folder or weights file"
    )
    parser.add_argument("--format", choices=[*ENDINGS], default="onnx", help="(%(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="(NAME.onnx or NAME.pt2)")


def run(given: Namespace) -> None:
    from zoo import load
    from zoo.commands.main import output_file
    from zoo.export import export
    from zoo.training.run import weights_of

    output = output_file(given.output, given.name, ENDINGS[given.format])
    model: Any = load(weights_of(given.name))
    print("\n".join(said(export(model, output))))


def said(written: "Written") -> list[str]:
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
