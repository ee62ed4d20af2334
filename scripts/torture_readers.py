"""Damage files in thousands of ways, each by its seed, and see what their readers make of them.

    python -m scripts.torture readers                  all of them, by `make torture ARGS=readers`
    python -m scripts.torture_readers pictures 1234    one of them again, with its traceback

A reader gives a value or one ValueError of one line, within 1 GiB and 5 seconds. The files are
read in a child process, so that a crash ends one file and not the ordeal.
"""

import errno
import os
import resource
import selectors
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from scripts.corruption import corrupt
from scripts.torture_samples import GROUPS, Sample

MEMORY, SECONDS = 1 << 30, 5  # for a file
HANGS, STARTS = 60, 300  # seconds after which a child is given up: others use the machine, too
CALM = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "PYTHONFAULTHANDLER": "1"}


def readers(
    groups: list[str] | None = None, count: int | None = None
) -> Iterator[tuple[str, bool]]:
    """Each file that is read: of which group, and whether it went well."""
    for group in groups or GROUPS:
        most = count or GROUPS[group][1]
        outcomes: Counter[str] = Counter()
        for number, outcome in outcomes_of(group, most):
            is_good = outcome in ("value", "refused")
            outcomes[outcome if is_good else "bad"] += 1
            if not is_good:
                print(f"    {group} {number}: {outcome}", flush=True)
            if number % -(-most // 10) == 0:
                print(f"    {group}: {number:,} of {most:,}, {dict(outcomes)}", flush=True)
            yield f"damaged {group}", is_good


def outcomes_of(group: str, count: int) -> Iterator[tuple[int, str]]:
    """The number of each file and how reading it ended, by as many children as it takes."""
    following = 0
    while following < count:
        for number, outcome in _child(group, following, count):
            following = number + 1
            yield number, outcome


def _child(group: str, first: int, count: int) -> Iterator[tuple[int, str]]:
    """What a child process says, until it has read all or is gone."""
    command = [sys.executable, "-m", "scripts.torture_readers", group, str(first), str(count)]
    root, environment = Path(__file__).parents[1], {**os.environ, **CALM}
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        bufsize=0,  # a line in Python's buffer would be waited for
    )  # fmt: skip
    assert process.stdout
    number = -1
    with process, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        patience = STARTS
        while is_alive := bool(selector.select(patience)):
            if not (line := process.stdout.readline()):
                break
            place, _, outcome = line.decode().rstrip("\n").partition(" ")
            number, patience = int(place), HANGS
            if outcome:
                yield number, outcome
        if not is_alive:
            process.kill()
        if process.wait():
            if number < 0:
                raise RuntimeError(f"in vain: {' '.join(command)}")
            code = process.returncode
            yield number, f"ends the process: {code}" if is_alive else f"hangs for {patience} s"


def damaged(group: str, samples: list[Sample], number: int) -> tuple[Sample, bytes]:
    """A file of a group with its faults; the first of each are faultless."""
    sample, random = samples[number % len(samples)], Random(f"{group} {number}")
    data = sample.data
    if number >= len(samples):
        data = corrupt(data, random, sample.is_text)
    return sample, sample.seal(data) if sample.seal else data


def attempt(sample: Sample, path: Path) -> str:
    """How reading a file ends: value, refused, or what should not be."""
    start = time.process_time()
    try:
        sample.read(path)
        outcome = "value"
    except ValueError as error:
        outcome = "refused" if str(error) and "\n" not in str(error) else f"says {str(error)!r}"
        if wants_memory(error):
            outcome = "asks for more than 1 GiB"
    except MemoryError:
        outcome = "asks for more than 1 GiB"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"[:200]
    seconds = time.process_time() - start
    return outcome if seconds < SECONDS else f"takes {seconds:.1f} s"


def wants_memory(error: BaseException | None) -> bool:
    """Whether a lack of memory is behind an error."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", 0) == errno.ENOMEM:
            return True
        error = error.__cause__
    return False


def limit_memory() -> None:
    """Let this process have 1 GiB more than it has."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))


def main(group: str, first: int, count: int | None = None) -> None:
    """Read the files of a group from one number on, or that one alone."""
    samples = list(GROUPS[group][0]())
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        for sample in samples:  # imports what they need
            path = Path(folder, sample.name)
            path.write_bytes(sample.seal(sample.data) if sample.seal else sample.data)
            sample.read(path)
        limit_memory()
        for number in range(first, count or first + 1):
            sample, data = damaged(group, samples, number)
            path = Path(folder, sample.name)
            path.write_bytes(data)
            if count is None:
                print(sample.name, data[:200])
                print(sample.read(path))
                return
            print(number, flush=True)
            print(number, " ".join(attempt(sample, path).split()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
