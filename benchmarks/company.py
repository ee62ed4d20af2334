"""Two runs at once on two cores, and what it costs one alone that they get on with each other.

    python -m benchmarks.company [OVERRIDE...]

Seconds of training of `image_cnn` by the real command, each in a process of its own, confined to
two cores where the system can do that:

    two at once           two equal runs with the default threads, the slower of them, beside one
                          alone with one thread
    one alone             with the default threads, beside the same whose threads wait as libgomp
                          has it (GOMP_SPINCOUNT unset), as they did before the zoo set it

Overrides are for all sides alike, such as trainer=smoke to see that it works.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import ROUNDS, compare

CORES, EPOCHS = 2, 2
COMMAND = "from zoo.commands.main import main; raise SystemExit(main())"
BEFORE = "import torch; "  # which reads the environment before the command sets it
UNSET = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def seconds(overrides: list[str], runs: int = 1, code: str = COMMAND, **variables: str) -> float:
    """What the training of equal runs at once takes: of the slowest."""
    own = {name: value for name, value in os.environ.items() if name not in UNSET}
    with TemporaryDirectory() as folder:
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, "train", "baseline=null", f"name={name}",
                 f"trainer.max_epochs={EPOCHS}", *overrides],
                cwd=folder, env={**own, **variables},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for name in ("one", "other")[:runs]
        ]  # fmt: skip
        assert [process.wait() for process in started] == [0] * runs
        found = [json.loads(path.read_text()) for path in Path(folder).rglob("results.json")]
        return max(float(results["train_seconds"]) for results in found)


def main(overrides: list[str]) -> None:
    """Both comparisons, a round of each in turn, and what the bars are."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    sides: dict[str, tuple[float, str, Callable[[], float], Callable[[], float]]] = {
        "two at once": (
            1.6, "one alone with one thread",
            lambda: seconds(overrides, runs=2), lambda: seconds(overrides, OMP_NUM_THREADS="1"),
        ),
        "one alone": (
            1.1, "with GOMP_SPINCOUNT unset",
            lambda: seconds(overrides), lambda: seconds(overrides, code=BEFORE + COMMAND),
        ),
    }  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds in turn, seconds of training")
    for name, (bar, peer, ours, theirs) in sides.items():
        row = compare(peer, ours, theirs)
        print(
            f"{name:<12} {row['ratio']:.2f} times as long as {peer} ({row['low']:.2f} to "
            f"{row['high']:.2f}; at most {bar}): {row['ours_rate']} s against {row['peer_rate']} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
