"""How the threads of a run wait for each other."""

import os

SPIN_COUNT = "1000"  # more slows two runs on the same cores, less slows one: benchmarks/company.py


def limit_spinning() -> None:
    """Let a thread that waits give up its core soon; before torch, which reads it, is imported.

    For processes that are all ours: the commands and those that they start. What the environment
    says of it stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
