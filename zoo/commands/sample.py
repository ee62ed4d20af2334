"""Draw samples from a model that generates: text, pictures or sound.

    zoo sample char_rnn --prompt "def " --temperature 0.7     text, as it is written
    zoo sample gan --count 64 -o grid.png                     pictures, on one sheet
    zoo sample wavenet -o song.wav                            sounds, one after the other
    zoo sample runs/char_rnn/a                                from the weights of one run

Of a model's or an experiment's name the newest finished run below ./runs is taken, else the
released weights. Each model has options of its own: `zoo sample NAME --help` shows them.
"""

from argparse import (
    REMAINDER,
    ArgumentParser,
    BooleanOptionalAction,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterator
from inspect import getdoc, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

if TYPE_CHECKING:
    from zoo.figures.kinds import Audio

ENDINGS = {"Grid": ".png", "Audio": ".wav"}  # what else is sampled is text, under any name
SILENCE = 0.25  # seconds between two sounds


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN", help="a name of `zoo list`; or a run's folder or weights file"
    )
    parser.add_argument("rest", nargs=REMAINDER, metavar="...", help="see zoo sample NAME --help")


def run(args: Namespace) -> None:
    from zoo import load
    from zoo.commands.main import output_file
    from zoo.training.run import find_weights

    model: Any = load(find_weights(args.name))
    if not hasattr(model, "sample"):
        raise ValueError(
            f"{args.name} generates nothing: {type(model).__name__} has no method `sample`"
        )
    options = parse(model.sample, args.name, args.rest)
    kind = get_type_hints(type(model).sample)["return"].__name__
    output = options.pop("output")
    if output or kind in ENDINGS:
        output = output_file(output, args.name, ENDINGS.get(kind, ""))
    write(model.sample(**options), output)


def parse(sample: Callable[..., Any], name: str, words: list[str]) -> dict[str, Any]:
    """The options that a model's `sample` takes, read from a command line; `output` besides.

    Raises:
        ValueError: an option that it does not take, or a value of another type.
    """
    from zoo.commands.main import Parser

    parser = Parser(
        prog=f"zoo sample {name}",
        description=getdoc(sample),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    hints = get_type_hints(sample)
    options = {n: p for n, p in signature(sample).parameters.items() if n != "self"}
    for option, parameter in options.items():
        add_option(parser, option, hints[option], parameter.default)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path)
    namespace, unknown = parser.parse_known_args(words)
    if unknown:
        names = ", ".join(f"--{option.replace('_', '-')}" for option in (*options, "output"))
        raise ValueError(f"{name} takes no {unknown[0]}: it takes {names}")
    return vars(namespace)


def add_option(parser: ArgumentParser, name: str, hint: Any, default: Any) -> None:
    """One option for a parameter that is an int, float, str or bool, or may be None besides."""
    kind = next((choice for choice in get_args(hint) if choice is not type(None)), hint)
    metavar = kind.__name__.upper()
    settings: dict[str, Any] = {"type": kind, "metavar": metavar, "help": "(%(default)r)"}
    if kind is bool:
        settings = {"action": BooleanOptionalAction}
    parser.add_argument(f"--{name.replace('_', '-')}", dest=name, default=default, **settings)


def write(sample: Any, output: Path | None) -> None:
    """Write text as it comes, a sheet of pictures or sounds."""
    from zoo.figures import kinds, raster

    if isinstance(sample, kinds.Grid):
        save(output, raster.png(sample), "picture")
    elif isinstance(sample, kinds.Audio):
        save(output, join_sounds(sample), "sound")
    elif output:
        save(output, "".join(sample).encode(), "text")
    else:
        stream(sample)


def save(output: Path | None, data: bytes, what: str) -> None:
    """Write a file and say so."""
    assert output is not None
    output.write_bytes(data)
    print(f"{what:<9} {output}")


def join_sounds(sounds: "Audio") -> bytes:
    """All waves as one WAV file, with a short silence between two."""
    import numpy as np

    from zoo.figures.raster import wav

    silence = np.zeros(round(SILENCE * sounds.rate))
    parts = [part for wave in sounds.waves for part in (silence, np.asarray(wave))]
    return wav(np.concatenate(parts[1:]), sounds.rate)


def stream(pieces: Iterator[str]) -> None:
    """Print text piece by piece."""
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
