"""What a run asks of the machine (S101)."""

import pytest
import torch

from tests.data import python
from zoo.utilities import hardware

REUSED = """
import resource
import torch
from zoo.utilities import hardware

def page_faults():
    for step in range(30):
        if step == 20:
            start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.empty(16, 2**20).fill_(step)  # 64 MiB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start

print(page_faults())
hardware.keep_freed_memory()
print(page_faults())
"""


def test_freed_memory_is_used_again():
    """The system need not hand out, and zero, the pages of each step anew."""
    usual, kept = map(int, python("-c", REUSED).split())
    assert usual > 1_000
    assert kept < 100


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True)])
def test_chips_multiply_bf16_by_capability_or_flags(capability, native, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(hardware, "cpu_multiplies_bf16", lambda: native)
    assert [hardware.native_bf16(chip) for chip in ("gpu", "cpu", "mps")] == [native, native, False]
