from itertools import chain, islice, product

import pytest
import torch

from datamodules.loading.batches import Batches
from datamodules.utilities.draws import Key, make_generator
from tests.data import refused

LENGTHS = torch.randint(1, 400, (1000,), generator=make_generator(0))  # of texts in buckets


ids = torch.arange


def served(batches):
    """The ids of each batch."""
    return [batch.tensors[0].tolist() for batch in batches]


def ranks(world_size, count=100, batch_size=12, **options):
    return [
        Batches((ids(count),), batch_size, rank=rank, world_size=world_size, **options)
        for rank in range(world_size)
    ]


@pytest.mark.parametrize("lengths", [None, LENGTHS[:50]])
def test_the_order_is_a_function_of_seed_and_epoch_only(lengths):
    orders, options = set(), {"shuffle": True, "lengths": lengths}
    for seed, epoch in product((0, 1), (0, 1, 2)):
        batches, other = (Batches((ids(50),), 10, seed=seed, **options) for _ in range(2))
        torch.manual_seed(epoch)  # of no influence
        batches.set_epoch(2 - epoch)
        list(batches)
        batches.set_epoch(epoch)
        other.set_epoch(epoch)
        orders.add(str(served(batches)))
        assert served(batches) == served(other) == served(other)
    assert len(orders) == 6


def test_training_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    list(Batches((ids(50),), 10, shuffle=True))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("lengths", [None, LENGTHS[:53]])
def test_training_serves_each_sample_once_and_drops_the_incomplete_batch(lengths):
    batches = Batches((ids(53),), 10, shuffle=True, lengths=lengths)
    rows = [*chain(*served(batches))]
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
    assert sorted(chain(*chain(*parts))) == list(range(count))
    # a rank with fewer or empty batches would hang the others
    assert {len(part) for part in parts} == {len(batches) for batches in ranks(world_size, count)}
    assert all(batch for part in parts for batch in part)


@pytest.mark.parametrize("lengths", [None, LENGTHS[:100]])
@pytest.mark.parametrize("world_size", [2, 3, 4])
def test_the_ranks_together_are_the_batches_of_one_process(world_size, lengths):
    options = {"shuffle": True, "lengths": lengths}
    alone = served(ranks(1, **options)[0])
    for batch, *parts in zip(alone, *map(served, ranks(world_size, **options)), strict=True):
        assert list(chain(*parts)) == batch
        assert {len(part) for part in parts} == {12 // world_size}


def test_random_draws_of_the_ranks_are_slices_of_the_global_draw():
    (whole,) = [batch.key for batch in ranks(1, 12, shuffle=True)[0]]
    draws = torch.rand(whole.size, generator=whole.generator())
    keys = [batch.key for batches in ranks(4, 12, shuffle=True) for batch in batches]
    mine = [key.local_rows(torch.rand(12, generator=key.generator())) for key in keys]
    assert torch.equal(torch.cat(mine), draws)


def test_every_batch_of_every_epoch_and_the_order_draw_something_else():
    keys = [(seed, epoch, batch) for seed in range(3) for epoch in range(3) for batch in range(3)]
    drawn = [torch.rand(1, generator=Key(*key, 1, 0, 1).generator()).item() for key in keys]
    tagged = [make_generator(seed, epoch, 0, 1) for seed, epoch, batch in keys if batch == 0]
    drawn += [torch.rand(1, generator=generator).item() for generator in tagged]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("stop", [0, 1, 3, 5])
@pytest.mark.parametrize("set_epoch_after", [True, False])
def test_a_restored_loader_goes_on_exactly(stop, set_epoch_after):
    whole, stopped, again = (Batches((ids(60),), 10, shuffle=True, seed=3) for _ in range(3))
    for batches in (whole, stopped, *([] if set_epoch_after else [again])):
        batches.set_epoch(2)
    wanted = list(whole)[stop:]
    list(islice(stopped, stop))
    again.load_state_dict(stopped.state_dict())
    again.set_epoch(2)
    rest = list(again)
    assert [batch.key for batch in rest] == [batch.key for batch in wanted]
    assert served(rest) == served(wanted)
    again.set_epoch(3)
    assert len(served(again)) == 6  # the next epoch is whole again


def test_a_loader_saved_at_the_end_of_an_epoch_starts_the_next_one_whole():
    batches, again = (Batches((ids(60),), 10, shuffle=True) for _ in range(2))
    list(batches)
    again.load_state_dict(batches.state_dict())
    again.set_epoch(1)
    assert len(served(again)) == 6


def test_a_loader_saved_before_its_first_batch_keeps_its_place():
    batches = Batches((ids(60),), 10, shuffle=True)
    batches.load_state_dict({"batches": 4})
    assert batches.state_dict() == {"batches": 4}
    assert len(served(batches)) == 2


def test_a_batch_that_the_data_or_the_devices_do_not_allow_is_refused():
    with pytest.raises(ValueError, match=r"data\.batch_size is 10: it must divide by 4 devices"):
        Batches((ids(60),), 10, shuffle=True, world_size=4)
    refused("there are only 3 samples, 4 are needed", Batches, (ids(3),), 8, world_size=4)
    refused("there are only 5 samples, 10 are needed", Batches, (ids(5),), 10, shuffle=True)
    assert served(Batches((ids(5),), 10)) == [[0, 1, 2, 3, 4]]  # in evaluation it is right


# Buckets: rows of about one length share a batch (S66, S71)


def bucketed(**options):
    return Batches((ids(1000),), 8, lengths=LENGTHS, **options)


def test_texts_of_a_bucket_are_about_as_long_and_buckets_come_in_random_order():
    parts = [LENGTHS[rows] for rows in served(bucketed(shuffle=True))]
    padded = sum(int(part.max()) * len(part) for part in parts)
    assert padded < 1.05 * LENGTHS.sum()  # at random: 1.7 times
    longest = torch.tensor([float(part.max()) for part in parts])
    order = torch.corrcoef(torch.stack([longest, torch.arange(len(longest)).float()]))[0, 1]
    assert order.abs() < 0.3


def test_evaluation_in_buckets_serves_each_sample_once_the_shortest_first():
    rows = list(chain(*served(bucketed())))
    assert sorted(rows) == list(range(1000))
    assert LENGTHS[rows].tolist() == sorted(LENGTHS.tolist())
