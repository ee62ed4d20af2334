"""Starting the processes of a run on this machine by torchrun's agent, and ending them together."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from zoo.utilities.errors import Failure, Stopped

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

Config = dict[str, Any]
STOPPED = (128 + signal.SIGTERM, 128 + signal.SIGINT)  # exit codes
GRACE = 20  # seconds that processes have to save and end after a signal or another's failure


def launch(config: Config, folder: Path) -> None:
    """Do a run in processes of their own, one a device of this machine, by torchrun's agent.

    Raises:
        Stopped: by a signal, which all processes were given.
        ValueError, Failure: what the first process that failed says.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    if config["trainer"]["num_nodes"] > 1:
        raise ValueError(
            f"trainer.num_nodes is {config['trainer']['num_nodes']}: start this command on each "
            "machine with torchrun or srun (docs/devices.md)"
        )
    devices = config["trainer"]["devices"]
    with TemporaryDirectory() as logs, _restore_process(threads=(os.cpu_count() or 1) // devices):
        plan = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=devices, max_restarts=0,
            run_id=uuid4().hex, rdzv_backend="c10d", rdzv_endpoint="localhost:0",
            local_addr="localhost", logs_specs=DefaultLogsSpecs(log_dir=logs),
            shutdown_timeout=GRACE,
        )  # fmt: skip
        try:
            elastic_launch(plan, sys.executable)("-m", "zoo.training.worker", str(folder))
        except SignalException as error:
            raise Stopped(error.sigval) from None
        except ChildFailedError as error:
            raise cause(error) from None


@contextmanager
def _restore_process(threads: int) -> Iterator[None]:
    """Silence the agent, share the cores, and afterwards undo what it does to this process."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    environment = dict(os.environ)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(threads, 1)))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(environment)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                if handler is not None and signal.getsignal(number) != handler:
                    signal.signal(number, handler)


def cause(error: "ChildFailedError") -> Exception:
    """What to tell of processes that failed: the first cause, not what followed from it."""
    failures = error.failures
    first = min(failures, key=lambda rank: _sort_key(failures[rank]))
    failure = failures[first]
    if failure.exitcode in STOPPED:
        return Stopped(failure.exitcode - 128)
    if failure.exitcode < 0:
        return Failure(f"process {first} was killed by {failure.signal_name()}: all have ended")
    message = failure.error_file_data.get("message")
    if not isinstance(message, dict):
        return Failure(f"process {first} ended with exit code {failure.exitcode}")
    return (ValueError if failure.exitcode == 2 else Failure)(message["message"])


def _sort_key(failure: "ProcessFailure") -> tuple[int, int]:
    """Errors come first, by their time; then kills; then what the agent told to end for them."""
    message, stop_codes = failure.error_file_data.get("message"), (-signal.SIGTERM, *STOPPED)
    if failure.exitcode in stop_codes or not isinstance(message, dict):
        return 2 if failure.exitcode in stop_codes else 1, 0
    return 0, message["extraInfo"]["order"]


def report(line: str) -> None:
    """Leave the line of an error for the process that started this one."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path:
        now = {"timestamp": int(time.time()), "order": time.time_ns()}
        Path(path).write_text(json.dumps({"message": {"message": line, "extraInfo": now}}))


def end_with_parent() -> None:
    """End this process at once when that which started it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
