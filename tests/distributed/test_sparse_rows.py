"""What two processes change of a table is brought together (S63)."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from zoo.distributed import sparse_rows

pytestmark = pytest.mark.slow

# per row of the table: by none, seldom by both, often by both, seldom by one, and in between
USES = torch.tensor([[0, 3, 100, 7, 24], [0, 4, 100, 0, 24]]).float()
CHANGES = torch.tensor([[0.0, 1, 1, 5, 1], [0, 2, 3, 0, 2]])
BEFORE = torch.arange(10.0).reshape(5, 2)


def change(rank, folder):
    dist.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    table = BEFORE.clone()
    with sparse_rows.shared_rows(table, USES[rank]):
        table += CHANGES[rank, :, None]
    torch.save(table, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """What the processes have when they are done, (2, 5, 2)."""
    folder = tmp_path_factory.mktemp("exchange")
    mp.spawn(change, (folder,), nprocs=2)
    return torch.stack([torch.load(folder / f"{rank}.pt") for rank in range(2)])


def test_processes_have_the_same_table_afterwards(tables):
    assert torch.equal(*tables)


@pytest.mark.parametrize(("row", "change"), [
    (0, 0.0), (1, 1 + 2),  # added up
    (2, (1 + 3) / 2),  # averaged
    (3, 5.0),  # nothing is lost of what one has learned alone
    (4, (1 + 2) * 32 / 48),  # used 48 times: two thirds of the sum
])  # fmt: skip
def test_changes_are_added_up_of_rare_rows_and_averaged_of_frequent_ones(tables, row, change):
    torch.testing.assert_close(tables[0][row], BEFORE[row] + change)
