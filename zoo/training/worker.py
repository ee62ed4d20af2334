"""One process of a run: `python -m zoo.training.worker FOLDER`, started by the agent.

It reads the folder's config.yaml, which the parent composed, and never sees Hydra.
"""

import os
import sys
from pathlib import Path

from zoo.distributed import environment, torchrun
from zoo.training.run import Run
from zoo.utilities.errors import code, line


def main(folder: str) -> None:
    """Do this process' part of the run; what went wrong is left for the agent to say.

    After an error it ends at once: threads that wait for other processes would abort it.
    """
    torchrun.end_with_parent()
    try:
        from zoo.distributed import collectives
        from zoo.training.fit import work

        run = Run(Path(folder))
        environment.check(run.config)
        work(run.config, run)
        collectives.leave()
    except Exception as error:
        if os.environ.get("ZOO_DEBUG") == "1":
            raise
        torchrun.report(line(error))
        sys.stderr.flush()
        os._exit(code(error))


if __name__ == "__main__":
    main(sys.argv[1])
