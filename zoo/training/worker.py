"""One process of a run: `python -m zoo.training.worker FOLDER`, started by the agent.

It reads the config that the parent composed from the folder, and never sees Hydra.
"""

import os
import sys
from pathlib import Path

from zoo.distributed import environment, torchrun
from zoo.training.run import Run
from zoo.utilities.errors import code, line
from zoo.utilities.openmp import limit_spinning
from zoo.utilities.packages import check_datamodules


def main(folder: str) -> None:
    """Do this process' part of the run; what went wrong is left for the agent to say.

    After an error it ends at once: threads that wait for other processes would abort it.
    """
    limit_spinning()
    torchrun.end_with_parent()
    try:
        check_datamodules()
        from zoo.distributed import collectives
        from zoo.training.fit import run_experiment

        run = Run(Path(folder))
        config = run.composed
        environment.check_world_size(config)
        run_experiment(config, run)
        collectives.leave()
    except Exception as error:
        if os.environ.get("ZOO_DEBUG") == "1":
            raise
        torchrun.report(line(error))
        sys.stderr.flush()
        os._exit(code(error))


if __name__ == "__main__":
    main(sys.argv[1])
