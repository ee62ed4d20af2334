"""Kill runs, fill disks, stop processes and damage files: what is lost? `make torture`, an hour.

    python -m scripts.torture [saves] [disk] [restarts] [ends] [threads] [readers]

saves: a run that saves at every step is killed 25 times, its temporary folder on the same file
system and on another; what it had saved must be there. disk: a disk fills up while a run saves
(needs the right to mount one). restarts: runs are killed and started again by the same command, and
must end with the weights of one that was not. ends: one of two processes, both, or what started
them, are killed or told to end. threads: eight ask one model at once, and each must get its own
answers. readers: files are damaged in 106,000 ways; see torture_readers.py.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.torture_readers import readers
from scripts.torture_threads import threads
from zoo.training import checkpoints
from zoo.training.run import Run

KILLS, FULL, RESTARTS = 25, 5, 20
PATIENCE = 180  # seconds for what should happen
OTHER = Path("/dev/shm")  # a file system that is not that of the runs
ENDLESS = "trainer.max_epochs=100000"
ALWAYS = "save_every=1e-9"
LEARNERS = {  # what is killed and started again, short, with all that draws random numbers
    "image_cnn": ["data.limit=1000", "trainer.max_epochs=6"],
    "char_rnn": ["trainer.max_epochs=2"],
    "gan": ["data.limit=1000", "trainer.max_epochs=8", "evaluator=null", "monitor=val/loss"],
}


def start(
    experiment: str, name: str, *overrides: str, folder: str = ".", **environment: str
) -> subprocess.Popen[str]:
    """`zoo train` in a folder."""
    command = [sys.executable, "-m", "zoo", "train", f"experiment={experiment}", f"name={name}"]
    return subprocess.Popen(
        [*command, "baseline=null", *overrides], cwd=folder, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def until(happens: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for something that a process does."""
    end = time.monotonic() + PATIENCE
    while not happens():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"in vain: {process.communicate()[1][-1000:]}")
        time.sleep(0.001)


def step(run: Run) -> int:
    """Of the newest checkpoint, by its name."""
    return int(run.lasts[0].stem.rpartition("-")[2]) if run.lasts else 0


def last_line(process: subprocess.Popen[str]) -> str:
    """The last line of a process that has ended."""
    return (process.communicate(timeout=PATIENCE)[1].splitlines() or [""])[-1]


# --- the four ordeals -----------------------------------------------------------------------------


def saves() -> Iterator[tuple[str, bool]]:
    """Kills while saving; a run goes on from one to the next."""
    for where, folder in (("the same", Path.cwd()), ("another", OTHER)):
        with TemporaryDirectory(dir=folder) as temporary:
            run, cut = Run(Path("runs/cbow") / where.replace(" ", "_")), 0
            for _ in range(KILLS):
                before = step(run)
                some = ["data.limit=500", ENDLESS, ALWAYS]
                process = start("cbow", run.folder.name, *some, TMPDIR=temporary)
                until(lambda run=run, before=before: step(run) > before + 1, process)
                until(lambda run=run: list(run.checkpoints.glob("*.part")), process)
                time.sleep(random.uniform(0, 0.03))  # a save takes about so long
                last_step = step(run)
                process.kill()
                process.communicate()
                cut += bool(list(run.checkpoints.glob("*.part")))
                path = checkpoints.newest(run)
                is_safe = path is not None and checkpoints.load(path)["global_step"] >= last_step
                yield f"killed while saving, temporary folder on {where} file system", is_safe
            print(f"    {cut} of these kills left a file half written", flush=True)


def disk() -> Iterator[tuple[str, bool]]:
    """A disk of its own fills up."""
    for number in range(FULL):
        with mounted(Path("small"), megabytes=120):
            run = Run(Path("small/runs/cbow/full").resolve())
            some = ["data.limit=500", ENDLESS, ALWAYS]
            process = start("cbow", "full", *some, folder="small")
            until(lambda run=run, least=3 + number: step(run) > least, process)
            with suppress(OSError), Path("small/filler").open("wb") as filler:
                while process.poll() is None:
                    filler.write(bytes(1 << 16))
            message = last_line(process)
            path = checkpoints.newest(run)
            good = process.returncode == 2 and "disk is full" in message
            print(f"    exit code {process.returncode}: {message}", flush=True)
            yield "disk full", good and path is not None and bool(checkpoints.load(path))


def restarts() -> Iterator[tuple[str, bool]]:
    """Kill -9 at any moment and the same command again."""
    often = "save_every=0.01"
    references: dict[str, tuple[bytes, float]] = {}
    for experiment, short in LEARNERS.items():
        began = time.monotonic()
        process = start(experiment, "whole", *short)
        assert process.wait(PATIENCE) == 0, process.communicate()[1]
        seconds = time.monotonic() - began
        references[experiment] = weights(experiment, "whole"), seconds
    for number in range(RESTARTS):
        experiment = list(LEARNERS)[number % len(LEARNERS)]
        expected, seconds = references[experiment]
        name, command = f"cut-{number}", [*LEARNERS[experiment], often]
        process = start(experiment, name, *command)
        time.sleep(random.uniform(0.2, 1) * seconds)
        process.kill()
        process.communicate()
        again = start(experiment, name, *command)
        ended = again.wait(PATIENCE) == 0
        yield f"killed and restarted, {experiment}", ended and weights(experiment, name) == expected


def ends() -> Iterator[tuple[str, bool]]:
    """Two processes of a run, ended in all ways."""
    for whom in ([0], [1], [0, 1], ["start"]):
        for how in (signal.SIGTERM, signal.SIGKILL):
            name = f"{how.name}-{'-'.join(map(str, whom))}"
            run = Run(Path("runs/image_cnn") / name)
            some = ["trainer=ddp", "data.limit=400", "data.batch_size=20", ENDLESS]
            process = start("image_cnn", name, *some)
            until(lambda run=run: len(run.lasts) == 2, process)
            workers = ranks(run.folder)
            for one in whom:
                os.kill(process.pid if one == "start" else workers[int(one)], how)
            began = time.monotonic()
            process.communicate(timeout=PATIENCE)
            gone = all_gone(list(workers.values()), 30 - (time.monotonic() - began))
            intact = checkpoints.newest(run) == run.lasts[0]
            stopped = process.returncode not in (0, None)
            seconds = time.monotonic() - began
            print(
                f"    {name}: {seconds:.1f} s, exit code {process.returncode}, step {step(run)}",
                flush=True,
            )
            yield "one of two processes, both, or their parent ended", gone and intact and stopped


ORDEALS = {
    "saves": saves, "disk": disk, "restarts": restarts, "ends": ends, "threads": threads,
    "readers": readers,
}  # fmt: skip


# --- what they need -------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[None]:
    """A small disk in memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def weights(experiment: str, name: str) -> bytes:
    return Path(f"runs/{experiment}/{name}/weights.safetensors").read_bytes()


def ranks(folder: Path) -> dict[int, int]:
    """Process ids of a run's workers by rank."""
    processes = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"zoo.training.worker" in words and str(folder.resolve()).encode() in words:
                environment = (place / "environ").read_bytes().split(b"\0")
                rank = next(one for one in environment if one.startswith(b"RANK="))
                processes[int(rank[5:])] = int(place.name)
        except OSError:
            continue
    return processes


def all_gone(pids: Iterable[int], seconds: float) -> bool:
    """Whether processes have ended within some seconds."""
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def main(names: list[str]) -> int:
    """Go through the ordeals; print how often each was survived."""
    random.seed(0)
    failed = 0
    for name in names or ORDEALS:
        counts: dict[str, list[bool]] = {}
        for what, good in ORDEALS[name]():
            counts.setdefault(what, []).append(good)
        for what, outcomes in counts.items():
            print(f"{what}: {sum(outcomes)} of {len(outcomes)} good", flush=True)
            failed += outcomes.count(False)
    return bool(failed)


if __name__ == "__main__":
    with TemporaryDirectory(dir=Path.cwd()) as own:
        os.chdir(own)
        raise SystemExit(main(sys.argv[1:]))
