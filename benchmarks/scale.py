"""Two processes of one run against two runs at once on the same cores, each with half the batch.

    python -m benchmarks.scale [EXPERIMENT...]

Both sides do the same work, so the ratio of their rates is what talking to each other costs; on a
machine with as many cores as processes, one run alone would be no fair measure. Then the seconds
from `zoo train trainer=ddp trainer.devices=2` to its first step.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import compare, show

STEPS = 40
ENOUGH = {  # experiments, with batches that leave much to compute between two messages
    "image_cnn": ["data.batch_size=256"],
    "video_conv3d": ["data.batch_size=64"],
    "char_rnn": ["data.batch_size=64", "data.length=64"],
    "wavenet": ["data.batch_size=16"],
}


def side(experiment: str, together: bool) -> float:
    """Samples per second of both processes: of one run, or of a run each."""
    with TemporaryDirectory() as folder:
        me = [sys.executable, "-m", "benchmarks.scale", "--one", experiment, folder]
        if together:
            runner = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
            started = [subprocess.Popen([me[0], *runner, *me[1:], "2"], stderr=subprocess.DEVNULL)]
        else:
            started = [subprocess.Popen([*me, "1"], stderr=subprocess.DEVNULL) for _ in range(2)]
        assert [process.wait() for process in started] == [0] * len(started)
        rates = [float(path.read_text()) for path in Path(folder).glob("rate-*")]
        return sum(rates)


def one(experiment: str, folder: Path, devices: int) -> None:
    """Train for some steps, from the moment that the other process is ready, too."""
    from pytorch_lightning import Callback

    from zoo.distributed import collectives, environment
    from zoo.training import build, fit, launch
    from zoo.training.callbacks import throughput
    from zoo.training.evaluate import quiet
    from zoo.training.run import Run

    class Together(Callback):
        def on_train_start(self, *_: object) -> None:
            (folder / f"ready-{os.getpid()}").touch()
            while len(list(folder.glob("ready-*"))) < 2:
                time.sleep(0.01)

    overrides, make_callbacks = list(ENOUGH[experiment]), fit.make_callbacks
    if devices == 1:  # half the batch
        overrides[0] = f"data.batch_size={int(overrides[0].split('=')[1]) // 2}"
    config = launch.compose_run([
        f"experiment={experiment}", *overrides, f"trainer.devices={devices}",
        f"trainer.max_steps={STEPS}", "trainer.max_epochs=99", "trainer.accelerator=cpu",
        "trainer.check_val_every_n_epoch=99", "trainer.precision=32-true",
    ])  # fmt: skip
    fit.make_callbacks = lambda *given: [Together(), *make_callbacks(*given)]
    with quiet():
        data = build.open_data(config, None)
        model = build.build_model(config, data)
        place = folder / str(environment.rank() if devices > 1 else os.getpid())
        place.mkdir()
        trainer = fit.fit(config, Run(place), model, data)
    rate = throughput(trainer)["samples_per_second"] / devices
    (folder / f"rate-{os.getpid()}").write_text(str(rate))
    collectives.leave()


def first_step() -> float:
    """Seconds from the command to the checkpoint of the first step."""
    with TemporaryDirectory() as folder:
        saved = Path(folder) / "runs/image_cnn/a/checkpoints"
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "zoo", "train", "trainer=ddp", "name=a", "save_every=1e-9"],
            cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while not list(saved.glob("last-*.ckpt")):
            assert process.poll() is None
            time.sleep(0.02)
        seconds = time.monotonic() - began
        process.kill()
        process.wait()
        return seconds


def pair(experiment: str) -> tuple[Callable[[], float], Callable[[], float]]:
    return lambda: side(experiment, True), lambda: side(experiment, False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        names = sys.argv[1:] or list(ENOUGH)
        rows = {name: compare("two runs at once", *pair(name)) for name in names}
        show(rows, "samples/s of both processes, one thread each")
        least, middle, most = sorted(first_step() for _ in range(3))
        print(f"first step of two processes after {middle:.1f} s ({least:.1f} to {most:.1f})")
