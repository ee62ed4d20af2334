"""The program `zoo`: finds the verb's file, reads its arguments, turns errors into one line.

Nothing heavy is imported here or at the top of a verb: a verb imports what it needs when it runs.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import zoo
from zoo.utilities.errors import exit_code, no_such
from zoo.utilities.openmp import limit_spinning
from zoo.utilities.packages import check_datamodules
from zoo.utilities.stdout import until_reader_is_gone


class Parser(ArgumentParser):
    """Says what is wrong with a command line as every other error is said: in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}: `{self.prog} --help` shows what there is")


def verbs() -> list[str]:
    """The verbs there are: the files beside this one."""
    stems = (path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return sorted(stem for stem in stems if stem != "main")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    limit_spinning()
    words = list(sys.argv[1:] if arguments is None else arguments)
    return exit_code(lambda: run_command(words))


@until_reader_is_gone()
def run_command(arguments: list[str]) -> None:
    """Do what a command line asks for."""
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help"):
        print(overview())
        return
    if verb == "--version":
        print(f"zoo {zoo.__version__}")
        return
    if verb not in verbs():
        raise ValueError(no_such("verb", verb, verbs()))
    check_datamodules()
    module = import_module(f"zoo.commands.{verb}")
    parser = Parser(
        prog=f"zoo {verb}", description=module.__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    mixed = getattr(module, "INTERMIXED", False)
    module.run((parser.parse_intermixed_args if mixed else parser.parse_args)(arguments[1:]))


def output_file(path: Path | None, name: str, ending: str) -> Path:
    """The file that a verb writes: as asked for, else named after the weights that it was given.

    Raises:
        ValueError: it should end otherwise.
        FileNotFoundError: there is no such folder.
    """
    source = Path(name)
    if path is None:  # a file is called after itself, but a run's after its folder
        folder = source.parent if source.name == "weights.safetensors" else source
        return Path(folder.resolve().name.removesuffix(".safetensors") + ending)
    if ending and path.suffix.lower() != ending:
        raise ValueError(f"--output is {path}: give a name that ends in {ending}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"--output is {path}: there is no folder {path.parent}")
    return path


def overview() -> str:
    """What `zoo --help` prints."""
    text = "zoo: small PyTorch Lightning models for images, text, video and sound.\n\n"
    for verb in verbs():
        first = (import_module(f"zoo.commands.{verb}").__doc__ or "").splitlines()[0]
        text += f"  zoo {verb:<10} {first}\n"
    return f"{text}\nzoo VERB --help says more; ZOO_DEBUG=1 shows where an error came from."
