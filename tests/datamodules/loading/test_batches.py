from itertools import chain

import pytest
import torch

from datamodules.loading.batches import Batches
from datamodules.utilities.draws import Key, seeded


def ids(count):
    return torch.arange(count)


def served(batches):
    """The ids of each batch."""
    return [batch.tensors[0].tolist() for batch in batches]


def ranks(world_size, count=100, batch_size=12, **options):
    return [
        Batches((ids(count),), batch_size, rank=rank, world_size=world_size, **options)
        for rank in range(world_size)
    ]


def test_the_order_is_a_function_of_seed_and_epoch_only():
    orders = {}
    for seed in (0, 1):
        for epoch in (0, 1, 2):
            batches = Batches((ids(50),), 10, shuffle=True, seed=seed)
            torch.manual_seed(epoch)  # of no influence
            batches.set_epoch(2 - epoch)
            list(batches)
            batches.set_epoch(epoch)
            orders[seed, epoch] = served(batches)
            assert served(batches) == orders[seed, epoch]
            other = Batches((ids(50),), 10, shuffle=True, seed=seed)
            other.set_epoch(epoch)
            assert served(other) == orders[seed, epoch]
    assert len({str(order) for order in orders.values()}) == 6


def test_training_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    list(Batches((ids(50),), 10, shuffle=True))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_training_serves_each_sample_once_and_drops_the_incomplete_batch():
    batches = Batches((ids(53),), 10, shuffle=True)
    rows = [row for batch in served(batches) for row in batch]
    assert len(batches) == len(served(batches)) == 5
    assert len(rows) == len(set(rows)) == 50
    assert rows != sorted(rows)


def test_all_tensors_are_gathered_alike():
    pictures, labels = torch.rand(30, 4, 4, 1), ids(30)
    for batch in Batches((pictures, labels), 7, shuffle=True):
        x, y = batch.tensors
        torch.testing.assert_close(x, pictures[y])


def test_only_the_chosen_rows_are_served():
    batches = Batches((ids(30),), 2, indices=torch.tensor([3, 5, 7, 11]), shuffle=True)
    assert sorted(chain(*served(batches))) == [3, 5, 7, 11]


@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [4, 11, 12, 13, 24, 25, 26, 27, 100])
def test_evaluation_serves_each_sample_once_at_any_world_size(world_size, count):
    parts = [served(batches) for batches in ranks(world_size, count)]
    assert sorted(row for part in parts for batch in part for row in batch) == list(range(count))
    # a rank with fewer or empty batches would hang the others
    assert {len(part) for part in parts} == {len(batches) for batches in ranks(world_size, count)}
    assert all(batch for part in parts for batch in part)


@pytest.mark.parametrize("world_size", [2, 3, 4])
def test_the_ranks_together_are_the_batches_of_one_process(world_size):
    alone = served(ranks(1, shuffle=True)[0])
    parts = [served(batches) for batches in ranks(world_size, shuffle=True)]
    for number, batch in enumerate(alone):
        slices = [part[number] for part in parts]
        assert list(chain(*slices)) == batch
        assert {len(one) for one in slices} == {12 // world_size}


def test_random_draws_of_the_ranks_are_slices_of_the_global_draw():
    (whole,) = [batch.key for batch in ranks(1, 12, shuffle=True)[0]]
    draws = torch.rand(whole.size, generator=whole.generator())
    mine = []
    for batches in ranks(4, 12, shuffle=True):
        (batch,) = batches
        mine.append(batch.key.mine(torch.rand(12, generator=batch.key.generator())))
    assert torch.equal(torch.cat(mine), draws)


def test_every_batch_of_every_epoch_and_the_order_draw_something_else():
    keys = [(seed, epoch, batch) for seed in range(3) for epoch in range(3) for batch in range(3)]
    drawn = [torch.rand(1, generator=Key(*key, 1, 0, 1).generator()).item() for key in keys]
    drawn += [torch.rand(1, generator=seeded(s, e, 0, 1)).item() for s, e, b in keys if b == 0]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("stop", [0, 1, 3, 5])
@pytest.mark.parametrize("set_epoch_after", [True, False])
def test_a_restored_loader_goes_on_exactly(stop, set_epoch_after):
    whole = Batches((ids(60),), 10, shuffle=True, seed=3)
    whole.set_epoch(2)
    wanted = list(whole)
    stopped = Batches((ids(60),), 10, shuffle=True, seed=3)
    stopped.set_epoch(2)
    walk = iter(stopped)
    for _ in range(stop):
        next(walk)
    state = stopped.state_dict()
    again = Batches((ids(60),), 10, shuffle=True, seed=3)
    if not set_epoch_after:
        again.set_epoch(2)
    again.load_state_dict(state)
    again.set_epoch(2)
    rest = list(again)
    assert [batch.key for batch in rest] == [batch.key for batch in wanted[stop:]]
    assert [b.tensors[0].tolist() for b in rest] == [b.tensors[0].tolist() for b in wanted[stop:]]
    again.set_epoch(3)
    assert len(served(again)) == 6  # the next epoch is whole again


def test_a_loader_saved_at_the_end_of_an_epoch_starts_the_next_one_whole():
    batches = Batches((ids(60),), 10, shuffle=True)
    list(batches)
    again = Batches((ids(60),), 10, shuffle=True)
    again.load_state_dict(batches.state_dict())
    again.set_epoch(1)
    assert len(served(again)) == 6


def test_a_loader_saved_before_its_first_batch_keeps_its_place():
    batches = Batches((ids(60),), 10, shuffle=True)
    batches.load_state_dict({"batches": 4})
    assert batches.state_dict() == {"batches": 4}
    assert len(served(batches)) == 2


def test_a_batch_that_does_not_divide_by_the_devices_is_refused():
    with pytest.raises(ValueError, match=r"data\.batch_size is 10: it must divide by 4 devices"):
        Batches((ids(60),), 10, shuffle=True, world_size=4)


def test_a_batch_larger_than_the_data_is_refused_in_training_only():
    with pytest.raises(ValueError, match="there are only 5 samples, 10 are needed"):
        Batches((ids(5),), 10, shuffle=True)
    assert served(Batches((ids(5),), 10)) == [[0, 1, 2, 3, 4]]


def test_fewer_samples_than_devices_are_refused():
    with pytest.raises(ValueError, match="there are only 3 samples, 4 are needed"):
        Batches((ids(3),), 8, world_size=4)


# Buckets: rows of about one length share a batch (S66, S71)

LENGTHS = torch.randint(1, 400, (1000,), generator=seeded(0))


def bucketed(**options):
    return Batches((ids(1000),), 8, lengths=LENGTHS, **options)


def test_buckets_serve_each_sample_once_in_an_order_of_seed_and_epoch():
    batches, again = bucketed(shuffle=True, seed=1), bucketed(shuffle=True, seed=1)
    first = served(batches)
    assert sorted(chain(*first)) == list(range(1000))
    assert served(again) == first
    batches.set_epoch(1)
    assert served(batches) != first
    assert served(bucketed(shuffle=True, seed=2)) != first


def test_texts_of_a_bucket_are_about_as_long_and_buckets_come_in_random_order():
    parts = [LENGTHS[rows] for rows in served(bucketed(shuffle=True))]
    padded = sum(int(part.max()) * len(part) for part in parts)
    assert padded < 1.05 * LENGTHS.sum()  # at random: 1.7 times
    longest = torch.tensor([float(part.max()) for part in parts])
    order = torch.corrcoef(torch.stack([longest, torch.arange(len(longest)).float()]))[0, 1]
    assert order.abs() < 0.3


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_ranks_share_a_bucket(world_size):
    options = {"shuffle": True, "lengths": LENGTHS[:100]}
    whole = served(ranks(1, **options)[0])
    parts = zip(*map(served, ranks(world_size, **options)), strict=True)
    assert [list(chain(*part)) for part in parts] == whole


def test_an_incomplete_batch_is_dropped_from_buckets_too():
    batches = Batches((ids(53),), 10, shuffle=True, lengths=LENGTHS[:53])
    rows = list(chain(*served(batches)))
    assert len(rows) == len(set(rows)) == 50


def test_evaluation_in_buckets_serves_each_sample_once_the_shortest_first():
    rows = list(chain(*served(bucketed())))
    assert sorted(rows) == list(range(1000))
    assert LENGTHS[rows].tolist() == sorted(LENGTHS.tolist())
