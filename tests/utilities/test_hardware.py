"""What a run asks of the machine (S101)."""

import subprocess
import sys

import pytest

REUSED = """
import resource
import torch
from zoo import hardware

{before}
for step in range(30):
    if step == 20:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(16, 2**20).fill_(step)  # 64 MiB, freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)
"""


def page_faults(before: str) -> int:
    """Of ten times 64 MiB in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", REUSED.format(before=before)], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
def test_freed_memory_is_used_again():
    """The system need not hand out, and zero, the pages of each step anew."""
    assert page_faults("hardware.keep_freed_memory()") < 100
    assert page_faults("") > 1_000
