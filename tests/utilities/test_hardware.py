"""What a run asks of the machine (S101)."""

import sys

import pytest
import torch

from tests.data import python
from zoo.utilities import hardware

REUSED = """
import resource
import torch
from zoo.utilities import hardware

{before}
for step in range(30):
    if step == 20:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(16, 2**20).fill_(step)  # 64 MiB, freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)
"""


def page_faults(before: str) -> int:
    """Of ten times 64 MiB in a process of its own."""
    return int(python("-c", REUSED.format(before=before)))


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
def test_freed_memory_is_used_again():
    """The system need not hand out, and zero, the pages of each step anew."""
    assert page_faults("hardware.keep_freed_memory()") < 100
    assert page_faults("") > 1_000


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True)])
def test_chips_multiply_bf16_by_capability_or_flags(capability, native, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(hardware, "cpu_multiplies_bf16", lambda: native)
    assert [hardware.native_bf16(chip) for chip in ("gpu", "cpu", "mps")] == [native, native, False]
