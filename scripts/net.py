"""A net under changes that must change no number: every experiment, 20 steps on tiny data.

    python -m scripts.net record FILE
    python -m scripts.net compare FILE [EXPERIMENT ...]

Each experiment is trained, validated and tested in this process, with one thread, in float32 and
from an empty cache. FILE holds of each the sha256 of its weights, of each column of metrics.csv and
of each test score, the baseline's among them; `compare` does all of it again and names what is not
equal. An experiment, a metric or a score that the record does not have is no difference.

A record is of one chip and one torch: with others, equal code gives other last digits.
"""

import argparse
import csv
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Record = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
STEPS, VALIDATIONS = 20, 4  # in all; of smaller data there are fewer steps between two validations
TRAINER = {
    "max_steps": STEPS,
    "max_epochs": STEPS,
    "limit_train_batches": STEPS // VALIDATIONS,
    "check_val_every_n_epoch": 1,
    "log_every_n_steps": 1,
    "accelerator": "cpu",
    "precision": "32-true",
}
# The recipe's own rate is for many words: of so few, each in every batch, the loss becomes nan.
CALMER = {"wikipedia_2015_cbow": {"model.optimizer.lr": 0.02}}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
RATES = ("seconds", "per_second")  # how the name ends of what no two runs have equal


def machine() -> dict[str, str]:
    """What the numbers of equal code depend on."""
    import torch

    versions = {"torch": torch.__version__, "python": platform.python_version()}
    return {"chip": f"{chip()}, {torch.backends.cpu.get_cpu_capability()}", **versions}


def chip() -> str:
    """The processor's name, with family and model where the system tells them."""
    system = Path("/proc/cpuinfo")
    lines = system.read_text().splitlines() if system.exists() else []
    facts = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    names = [facts[key] for key in ("model name", "cpu family", "model") if key in facts]
    return " ".join(names) or platform.processor() or platform.machine()


def measure(names: Sequence[str]) -> Iterator[tuple[str, Record]]:
    """Train experiments one after the other, in a folder that is then removed."""
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["ZOO_CACHE"] = str(Path(folder, "cache"))
        os.environ["HF_HOME"] = str(Path(folder, "hub"))
        for name in names:
            start = time.perf_counter()
            yield name, hashes(train_small(name))
            print(f"{name:<44} {time.perf_counter() - start:5.1f} s", file=sys.stderr)
        os.chdir(ROOT)


def train_small(name: str) -> Path:
    """The folder of a run of an experiment on its own data in miniature."""
    import zoo
    from tests import tiny

    data = data_of(name)
    sources = tiny.write(data, Path("data", name))
    overrides = {"name": "net", "seed": 0, "data": sources, "trainer": TRAINER}
    try:
        with redirect_stderr(StringIO()):
            return zoo.train(name, **overrides, **CALMER.get(name, {})).folder
    except Exception as error:
        raise RuntimeError(f"{name}: {error}") from error


def data_of(name: str) -> str:
    """The data that an experiment's file names, else the default ones."""
    from omegaconf import OmegaConf

    defaults: dict[str, str] = {}
    for file in ("train", f"experiment/{name}"):
        config: Any = OmegaConf.load(ROOT / "conf" / f"{file}.yaml")
        for entry in config.get("defaults", []):
            defaults |= entry if entry != "_self_" else {}
    return defaults.get("override /data", defaults["data"])


def hashes(run: Path) -> Record:
    """What a finished run has learned, logged and scored."""
    return {
        "weights": sha256(repr(list(weights(run)))),
        **{key: sha256(repr(column)) for key, column in metrics(run / "metrics.csv").items()},
        **{key: sha256(repr(score)) for key, score in scores(run / "results.json").items()},
    }


def sha256(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def weights(run: Path) -> Iterator[tuple[str, list[Any]]]:
    """The tensors of the weights file, which are the best, and of the last checkpoint."""
    import torch
    from safetensors.torch import load_file

    yield "weights", tensors(load_file(run / "weights.safetensors"))
    last = run / "checkpoints" / f"last-{STEPS}.ckpt"
    yield "last", tensors(torch.load(last, weights_only=True)["state_dict"])


def tensors(state: "dict[str, torch.Tensor]") -> list[tuple[str, str, list[int], str]]:
    """Name, type, shape and the bytes' sha256 of each tensor, by name."""
    return [
        (name, str(one.dtype), list(one.shape), sha256(one.contiguous().numpy().tobytes()))
        for name, one in sorted(state.items())
    ]


def metrics(file: Path) -> dict[str, list[str]]:
    """The columns of a metrics file without times and rates."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    keys = [key for key in rows[0] if not key.endswith(RATES)]
    return {f"metrics.csv {key}": [row[key] for row in rows] for key in keys}


def scores(file: Path) -> dict[str, float]:
    """The test's scores with their intervals, and the baseline's."""
    results = json.loads(file.read_text())
    prefixes = ("test/", "baseline/")
    return {k: v for k, v in results.items() if k.startswith(prefixes) and not k.endswith(RATES)}


def record(file: Path) -> int:
    """Write what every experiment gives."""
    import zoo

    experiments = dict(measure(zoo.list_experiments()))
    file.write_text(json.dumps({"machine": machine(), "experiments": experiments}, indent=2) + "\n")
    print(f"recorded: {len(experiments)} experiments")
    return 0


def compare(file: Path, only: Sequence[str]) -> int:
    """Say what differs from a record: 1 if anything does, 2 where it is another machine's."""
    import zoo

    before, here = json.loads(file.read_text()), machine()
    if before["machine"] != here:
        there, now = (", ".join(one.values()) for one in (before["machine"], here))
        print(f"{file} is of another machine: {there}; this one is {now}")
        return 2
    expected = {
        name: one for name, one in before["experiments"].items() if not only or name in only
    }
    names = [name for name in zoo.list_experiments() if not only or name in only]
    different = list(differences(expected, dict(measure(names))))
    print("\n".join(different) or f"equal: {len(names)} experiments")
    return int(bool(different))


def differences(expected: Record, today: Record) -> Iterator[str]:
    """A line for each experiment that is not as it was."""
    for name, hashes in sorted(expected.items()):
        if name not in today:
            yield f"{name}: is gone"
        elif keys := [key for key in hashes if today[name].get(key) != hashes[key]]:
            yield f"{name}: other {', '.join(keys)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("verb", choices=("record", "compare"))
    parser.add_argument("file", type=Path, help="the record, JSON")
    parser.add_argument("only", nargs="*", metavar="EXPERIMENT", help="compare these alone")
    args = parser.parse_args()
    os.environ.update({"PYTHONPATH": str(ROOT), **dict.fromkeys(THREADS, "1")})
    os.environ.pop("ZOO_DATA", None)
    file = args.file.resolve()
    return record(file) if args.verb == "record" else compare(file, args.only)


if __name__ == "__main__":
    sys.exit(main())
