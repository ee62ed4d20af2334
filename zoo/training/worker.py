"""One process of a run: `python -m zoo.training.worker FOLDER`, from the parent or torchrun.

It reads the folder's config.yaml, which the parent composed, and never sees Hydra.
"""

import os
import sys
from pathlib import Path

from zoo.errors import Failure, exit_code
from zoo.training.run import Run


def main(folder: str) -> None:
    """Do this process' part of the run.

    Raises:
        Failure: torchrun started another number of processes than the config asks for.
    """
    from zoo.training.fit import work

    run = Run(Path(folder))
    config = run.config
    wanted = config["trainer"]["devices"] * config["trainer"]["num_nodes"]
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world != wanted:
        raise Failure(f"{world} processes were started, the config asks for {wanted}")
    work(config, run)


if __name__ == "__main__":
    raise SystemExit(exit_code(lambda: main(sys.argv[1])))
